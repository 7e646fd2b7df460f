"""The annotations on a Deployment: what of a rollout cannot be derived from the cluster, written beside it.

Reading and writing stand side by side here, so that the two cannot drift apart. A value that cannot be
read counts as absent: somebody edited it, and the rollout must go on.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping

from slipway_operator.api import labels, reasons
from slipway_operator.domain import observed
from slipway_operator.rendering import identity

LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

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
    """RFC 3339 as a moment in UTC."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def read_count(annotations: Mapping[str, str], name: str) -> int | None:
    """A number, or None when there is none that can be read."""
    text = annotations.get(name, "")
    return int(text) if text.isdecimal() else None


def read_verdict(annotations: Mapping[str, str], name: str) -> observed.Verdict | None:
    """Why an attempt was ended, or None when it was not."""
    try:
        note = json.loads(annotations[name])
        return observed.Verdict(
            reason=reasons.ConditionReason(note["reason"]),
            message=str(note["message"]),
            at=datetime.datetime.fromisoformat(note["at"]),
            retry_token=str(note.get("retryToken", "")),
            attempts=int(note.get("attempts", 1)),
            last_words=str(note.get("lastWords", "")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def read_switch(annotations: Mapping[str, str]) -> observed.Switch | None:
    """The last move of the traffic, or None before the first."""
    try:
        note = json.loads(annotations[labels.SWITCH])
        at = datetime.datetime.fromisoformat(note["at"])
        back = note.get("back") is True
        return observed.Switch(origin=note.get("from"), to=str(note["to"]), at=at, back=back)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


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
