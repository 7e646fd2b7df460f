"""The annotations on a Deployment: what of a rollout cannot be derived from the cluster, written beside it.

Reading and writing stand side by side here, so that the two cannot drift apart. A value that cannot be
read counts as absent: somebody edited it, and the rollout must go on. A reason that this operator does not
know is kept as it is: a newer one has written it, and what it rejected stays so.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from slipway_operator.api import labels, reasons
from slipway_operator.domain import observed
from slipway_operator.rendering import identity

LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

# Beyond these nobody has written anything, and sums of times would overflow.
_YEARS = range(LONG_AGO.year, 3000)
_DIGITS = 9

Annotations = dict[str, str | None]  # None removes the annotation


def started(*, at: datetime.datetime, replicas: int, number: int, beside: int | None = None) -> Annotations:
    """A new attempt: the clock starts, earlier verdicts are void."""
    return {
        labels.ATTEMPT_STARTED_AT: identity.timestamp(at),
        labels.LATCHED_REPLICAS: str(replicas),
        labels.BESIDE: str(beside) if beside is not None else None,
        labels.ATTEMPT: str(number),
        labels.REJECTED: None,
        labels.RELEASED: None,
        labels.SLOWER: None,
    }


def promoted(at: datetime.datetime) -> Annotations:
    """The revision has the traffic."""
    return {labels.PROMOTED_AT: identity.timestamp(at)}


def rejected(verdict: observed.Verdict) -> Annotations:
    """The revision is bad."""
    return {labels.REJECTED: _verdict(verdict)}


def released(verdict: observed.Verdict) -> Annotations:
    """The revision could not come up in time."""
    return {labels.RELEASED: _verdict(verdict)}


def slower(message: str) -> Annotations:
    """The revision answers more slowly than what served before it."""
    return {labels.SLOWER: message}


def begun(deployment: identity.Body) -> datetime.datetime:
    """When the present attempt began; where that cannot be read, when the Deployment was made."""
    annotations = deployment["metadata"].get("annotations", {})
    return read_time(annotations, labels.ATTEMPT_STARTED_AT) or created(deployment)


def created(child: identity.Body) -> datetime.datetime:
    """When the object was made."""
    return read_timestamp(child["metadata"].get("creationTimestamp", "")) or LONG_AGO


def read_time(annotations: Mapping[str, str], name: str) -> datetime.datetime | None:
    """A moment, or None when there is none that can be read."""
    return read_timestamp(annotations.get(name, ""))


def read_timestamp(text: str) -> datetime.datetime | None:
    """RFC 3339 as a moment in UTC, which it also is where it names no zone."""
    try:
        moment = datetime.datetime.fromisoformat(text)
        known = moment.astimezone(datetime.UTC) if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return known if known.year in _YEARS else None


def read_count(annotations: Mapping[str, str], name: str) -> int | None:
    """A number, or None when there is none that can be read."""
    text = annotations.get(name, "")
    readable = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    return int(text) if readable else None


def read_verdict(annotations: Mapping[str, str], name: str) -> observed.Verdict | None:
    """Why an attempt was ended, or None when it was not."""
    note = _note(annotations.get(name, ""))
    reason, at = _text(note.get("reason")), read_timestamp(_text(note.get("at")))
    if not reason or at is None:
        return None
    return observed.Verdict(
        reason=reasons.read(reason),
        message=_text(note.get("message")),
        at=at,
        retry_token=_text(note.get("retryToken")),
        attempts=_attempts(note.get("attempts")),
        last_words=_text(note.get("lastWords")),
    )


def read_switch(annotations: Mapping[str, str]) -> observed.Switch | None:
    """The last move of the traffic, or None before the first."""
    note = _note(annotations.get(labels.SWITCH, ""))
    to, at = _text(note.get("to")), read_timestamp(_text(note.get("at")))
    if not to or at is None:
        return None
    origin, back = _text(note.get("from")) or None, note.get("back") is True
    return observed.Switch(origin=origin, to=to, at=at, back=back)


def _note(text: str) -> dict[str, Any]:
    """A JSON object, or {} where there is none."""
    try:
        note = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}


def _text(value: object) -> str:
    """A string that UTF-8 can carry; "" for anything else: JSON may hold halves of characters."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _attempts(value: object) -> int:
    """From 1; one, where it cannot be read: the verdict is worth more than the number of its attempts."""
    return max(1, min(value, 10**_DIGITS)) if isinstance(value, int) else 1


def _verdict(verdict: observed.Verdict) -> str:
    return json.dumps(
        {
            "reason": str(verdict.reason),
            "message": verdict.message[:1024],
            "at": identity.timestamp(verdict.at),
            "retryToken": verdict.retry_token,
            "attempts": verdict.attempts,
            **({"lastWords": verdict.last_words[-1024:]} if verdict.last_words else {}),
        }
    )
