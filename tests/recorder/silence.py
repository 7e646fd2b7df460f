"""I9 and I10: no unhandled exception, and nothing written when there is nothing to do."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.recorder import writers
from tests.recorder.history import History, Moment
from tests.recorder.metadata import Key
from tests.recorder.ownership import is_child
from tests.recorder.violation import Violation

_TRACE = "Traceback (most recent call last)"
_BAD_LEVELS = ("error", "critical", "fatal")
_PLAIN = re.compile(r"(?:^|[\s\[])(?:ERROR|CRITICAL)\b|\[(?:error|critical)\s*\]|was never awaited")
_OPERATOR = Key("Log", "", "operator")


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """A time in which nothing happened that the operator should answer to."""

    begin: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.begin <= at <= self.end


def log_is_clean(log: str, *, at: datetime, allowed: Sequence[str] = ()) -> Iterator[Violation]:
    """I9: no traceback and no line of level error, but for those that match an allowed pattern.

    Reads JSON lines and plain ones. `at` is when the log was taken.
    """
    patterns = [re.compile(pattern) for pattern in allowed]
    for number, line in enumerate(log.splitlines(), start=1):
        what = _complaint(line)
        if what and not any(pattern.search(line) for pattern in patterns):
            yield Violation(
                "I9", at, f"the operator's log has {what} in line {number}", _OPERATOR, (line[:500],)
            )


def quiet_means_silent(
    history: History, windows: Sequence[QuietWindow], *, exempt: frozenset[Key] = frozenset()
) -> Iterator[Violation]:
    """I10: in the quiet windows the operator writes no child, no status and no Event.

    A window should begin a few seconds after the last write: managedFields tell whole seconds.
    """
    for moment in history.moments():
        key = moment.change.key
        if key in exempt or not any(moment.at in window for window in windows):
            continue
        for manager in writers.operators(moment.writers):
            yield Violation(
                "I10",
                moment.at,
                f"{manager} wrote {key} although there was nothing to do",
                key,
                (f"resourceVersion {moment.position}", moment.change.type),
            )
        if _child_deleted(moment):
            yield Violation("I10", moment.at, f"{key} was deleted in a quiet time", key)


def _child_deleted(moment: Moment) -> bool:
    made = moment.change.key.kind in ("Deployment", "Service", "PodDisruptionBudget")
    return made and moment.change.deleted and moment.before is not None and is_child(moment.before.meta)


def _complaint(line: str) -> str:
    if _TRACE in line:
        return "a traceback"
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        return "an error" if _PLAIN.search(line) else ""
    if not isinstance(record, dict):
        return ""
    level = str(record.get("level") or record.get("severity") or "").lower()
    if level in _BAD_LEVELS:
        return "an error"
    return "an exception" if record.get("exception") or record.get("exc_info") else ""
