"""Where a rollout stands whose revision has no Deployment yet, and when what has failed is tried again.

A part of step.py, by which it is asked; no policy may decide by it.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import resolution, situation

STEP, REASON = reasons.RolloutStep, reasons.ConditionReason

AGAIN = "set spec.rollout.retryToken to try it again"


class Stand(NamedTuple):
    """The step, the reason that the conditions give, and the sentence for people."""

    step: reasons.RolloutStep
    reason: reasons.ConditionReason
    message: str


def stands(s: situation.Situation) -> Stand:
    """What keeps the asked-for revision from being made."""
    if s.resolved:
        message = "the revision is being created"
        return Stand(STEP.WAITING_FOR_READY_PODS, REASON.WAITING_FOR_READY_PODS, message)
    found = resolution.obstacle(s)
    if found is None:
        message = f"what the source of version {s.asked.version} leads to is being found out"
        return Stand(STEP.RESOLVING, REASON.RESOLVING, message)
    rejected = found.severity is observed.Severity.REJECTING
    message = f"{found.object}: {found.message}; {AGAIN if rejected else _goes_on(s)}"
    return Stand(STEP.REJECTED if rejected else STEP.BLOCKED, found.reason, message)


def next_try(s: situation.Situation, at: datetime.datetime) -> str:
    """What is said of a try that is due at that moment."""
    if s.asked.paused:
        return "tried again when spec.rollout.paused is false"
    return f"tried again at {clock(at)}"


def clock(moment: datetime.datetime) -> str:
    """A moment, for people."""
    return moment.strftime("%H:%M:%SZ")


def _goes_on(s: situation.Situation) -> str:
    again = resolution.next_try(s)
    return next_try(s, again) if again else "it goes on by itself when that is mended"
