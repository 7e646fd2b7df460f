"""Who made a change, as far as managedFields tell.

The API server keeps the name and the second of each manager's last write. A delete leaves no trace.
Must not know what the change was.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tests.recorder.objects import Mark, Object

_CLOCKS = timedelta(seconds=3)  # between the API server's second and the recorder's reception


def is_operator(manager: str) -> bool:
    """Whether a field manager is one of Slipway's."""
    return manager == "slipway" or manager.startswith("slipway-")


def of(before: Object | None, after: Object, *, at: datetime) -> frozenset[str]:
    """The managers that wrote `after` over `before`; none when they cannot be told.

    Two writes of one manager to the same fields within one second look alike: then the managers whose
    mark is from that second are named.
    """
    marks = after.meta.marks
    fresh = marks if before is None else marks - before.meta.marks
    if not fresh:
        fresh = frozenset(mark for mark in marks if _is_recent(mark, at))
    newest = max((mark.time for mark in fresh), default="")
    # A mark that only lost fields changes too, but keeps its old time.
    return frozenset(mark.manager for mark in fresh if mark.time == newest and _is_recent(mark, at))


def operators(managers: Iterable[str]) -> list[str]:
    """Those of them that are Slipway's."""
    return sorted(filter(is_operator, managers))


def _is_recent(mark: Mark, at: datetime) -> bool:
    if not mark.time:
        return True
    return abs(at - datetime.fromisoformat(mark.time)) <= _CLOCKS
