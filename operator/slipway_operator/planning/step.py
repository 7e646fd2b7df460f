"""Where the rollout stands, in one word and one sentence.

Asked by the status only; no policy may decide by it.
"""

from __future__ import annotations

import dataclasses

from slipway_operator.api import labels, reasons
from slipway_operator.domain import observed
from slipway_operator.planning import (
    bake,
    conflict,
    failure,
    promotion,
    queueing,
    retirement,
    rolling,
    room,
    situation,
    traffic,
    unmade,
)

STEP, REASON = reasons.RolloutStep, reasons.ConditionReason

_CHOICES = (
    "make room, ask for fewer replicas, or choose the strategy Rolling, with maxUnavailable where not one "
    "pod more finds room, or Recreate with allowDowntime"
)

MOVING = frozenset(
    {
        STEP.RESOLVING,
        STEP.WAITING_FOR_READY_PODS,
        STEP.WAITING_FOR_PROMOTION,
        STEP.QUEUED,
        STEP.SWITCHING,
        STEP.ROLLING,
        STEP.BAKING,
        STEP.PAUSED,
    }
)
LEAVING = frozenset({STEP.KEEPING_WARM, STEP.DRAINING})
STUCK = frozenset({STEP.BLOCKED, STEP.REJECTED, STEP.STOPPED})


@dataclasses.dataclass(frozen=True, slots=True)
class Where:
    """The step, the reason that the conditions give, and the sentence for people."""

    step: reasons.RolloutStep
    reason: str  # a ConditionReason, or what a newer operator has written down
    message: str


def where(s: situation.Situation) -> Where:
    """Where it stands, and what somebody else has done to its pods or has taken of its names."""
    at = _where(s)
    return dataclasses.replace(at, message="; ".join([at.message, *_of_others(s)]))


def _of_others(s: situation.Situation) -> list[str]:
    edited = [r for r in s.seen.revisions if r.edited_by and (r.pods or r.desired)]
    said = [f"{r.edited_by} has changed the pods of version {r.version}: that is let be" for r in edited[:1]]
    return [*said, *(f"{belongs(f)}: it is done without {f.child.value}" for f in conflict.missed(s))]


def _where(s: situation.Situation) -> Where:
    """The first of these that holds."""
    if (foreign := conflict.in_the_way(s)) is not None:
        message = f"{belongs(foreign)}: rename this model or remove that object"
        return Where(STEP.STOPPED, REASON.NAME_CONFLICT, message)
    if s.target is None and s.asked.obstacle is not None:
        return Where(STEP.STOPPED, s.asked.obstacle.reason, s.asked.obstacle.message)
    if s.hibernating:
        return Where(STEP.HIBERNATED, REASON.HIBERNATED, "spec.replicas is 0: every revision is scaled to 0")
    return _held(s, _leaving(s) if has_arrived(s) else _coming(s))


def has_traffic(s: situation.Situation) -> bool:
    """The live revision serves, or did; a first one that was never ready does not count as active."""
    live = s.live
    return live is not None and s.service is not None and (live.attempt_spent or bool(s.service.ready))


def has_arrived(s: situation.Situation) -> bool:
    """The asked-for revision has the traffic, and the EndpointSlices confirm it."""
    live = s.live
    if live is None or not s.target_is_live or not s.confirmed or s.hibernating:
        return False
    return live.attempt_spent or s.switched or len(live.ready) >= s.asked.replicas


def asleep(s: situation.Situation) -> bool:
    """Nothing is asked for, and nothing is there any more."""
    return s.hibernating and not any(r.desired or r.pods for r in s.seen.revisions)


def _held(s: situation.Situation, at: Where) -> Where:
    """The same, or that the user has stopped it there. What is stuck is stuck with a pause and without."""
    waits = at.step is STEP.KEEPING_WARM or (at.step in MOVING and not s.target_is_live)
    if not s.asked.paused or not waits:
        return at
    return Where(STEP.PAUSED, REASON.PAUSED, f"spec.rollout.paused is true; {at.message}")


def belongs(foreign: observed.Foreign) -> str:
    """Whose it is, in a sentence."""
    return f"{foreign.kind} {foreign.name} belongs to {foreign.owner}"


def _coming(s: situation.Situation) -> Where:
    target = s.target
    if s.rolling and not rolling.possible(s):
        return _no_turn(s)
    if s.seen.turn is not None:
        message = f"version {s.asked.version} {queueing.sentence(s.seen.turn)}"
        return Where(STEP.QUEUED, REASON.QUEUED, message)
    if target is None:
        return Where(*unmade.stands(s))
    if s.target_is_live:
        return _in_place(s, target)
    if target.rejected is not None:
        return _ended(STEP.REJECTED, target.rejected, unmade.AGAIN)
    if target.released is not None:
        return _ended(STEP.BLOCKED, target.released, _tried_again(s, target.released))
    if promotion.awaited(s) and (traffic.proven(s) or s.rolling or s.recreating):
        return _waiting_for_promotion(s, target)
    if s.service is not None and s.service.wide:
        return _turns(s, target)
    third = rolling.waits_for(s)
    return _before_the_turns(s, third) if third and target.desired == 0 else _warming(s, target)


def _no_turn(s: situation.Situation) -> Where:
    standing = [r.version for r in s.seen.revisions if r is not s.target and r.desired > 0]
    message = (
        f"version {s.asked.version} cannot come by turns: spec.rollout.maxSurge is 0, and none of "
        f"{s.asked.replicas} pods may be missing; version {', '.join(standing)} keeps them "
        "meanwhile: make room for one more and set maxSurge, or set allowDowntime"
    )
    return Where(STEP.BLOCKED, REASON.NO_TURN_POSSIBLE, message)


def _before_the_turns(s: situation.Situation, third: tuple[observed.Revision, ...]) -> Where:
    """No pod is asked for yet, and nothing is wrong."""
    until = retirement.warm_until(s, third[0]) if third[0].desired > 0 else None
    kept = f", which it keeps until {unmade.clock(until)}" if until is not None else ", which are ending"
    message = (
        f"version {s.asked.version} waits for its first turn: it comes when version {third[0].version} has "
        f"none of its {third[0].pods} pods any more{kept}"
    )
    return Where(STEP.WAITING_FOR_READY_PODS, REASON.WAITING_FOR_READY_PODS, message)


def _turns(s: situation.Situation, target: observed.Revision) -> Where:
    others = sum(len(r.ready) for r in s.seen.revisions if r is not target)
    message = (
        f"{_count(target, s.asked.replicas)}, and {others} of other versions; "
        "there is no bake, and no way back but by turns"
    )
    worst = target.worst
    waits = worst is not None and worst.reason in reasons.NO_ROOM_REASONS and rolling.makes_room(s, target)
    if worst is None or waits or not _blocking(target):
        return Where(STEP.ROLLING, REASON.ROLLING, message)
    rejected = worst.severity is observed.Severity.REJECTING
    message = f"{message}; {worst.object}: {worst.message}"
    return Where(STEP.REJECTED if rejected else STEP.BLOCKED, worst.reason, message)


def _waiting_for_promotion(s: situation.Situation, target: observed.Revision) -> Where:
    ready = "is ready and can be tried at the preview Service" if traffic.proven(s) else "has no pods yet"
    message = (
        f"version {target.version} {ready}; to promote it, "
        f"annotate the model with {labels.PROMOTE}={target.id}"
    )
    return Where(STEP.WAITING_FOR_PROMOTION, REASON.WAITING_FOR_PROMOTION, message)


def _in_place(s: situation.Situation, target: observed.Revision) -> Where:
    """The Service selects the target already: a switch being confirmed, or a revision without ready pods."""
    if s.service is not None and s.service.foreign:
        message = "the selector has moved; its EndpointSlices still hold pods of another revision"
        return Where(STEP.SWITCHING, REASON.SWITCHING, message)
    if target.attempt_spent and not s.moved_by_hand and not _blocking(target):
        return Where(STEP.WAITING_FOR_READY_PODS, REASON.NO_READY_PODS, _count(target, s.asked.replicas))
    if failure.is_late(s, target) and not s.switched and not _blocking(target):
        message = f"{_count(target, s.asked.replicas)} after {s.asked.progress_deadline} s"
        return Where(STEP.BLOCKED, REASON.PROGRESS_DEADLINE_EXCEEDED, message)
    return _warming(s, target)


def _warming(s: situation.Situation, target: observed.Revision) -> Where:
    count = _count(target, s.asked.replicas if s.target_is_live else s.enough)
    worst = target.worst
    if worst is None:
        return Where(STEP.WAITING_FOR_READY_PODS, REASON.WAITING_FOR_READY_PODS, count)
    message = f"{count}; {worst.object}: {worst.message}"
    if not _blocking(target):
        return Where(STEP.WAITING_FOR_READY_PODS, REASON.WAITING_FOR_READY_PODS, message)
    if room.lacking(s) and s.live is not None and s.live.desired > 0:
        message += f"; version {s.live.version} keeps its pods meanwhile: {_CHOICES}"
    rejected = worst.severity is observed.Severity.REJECTING
    return Where(STEP.REJECTED if rejected else STEP.BLOCKED, worst.reason, message)


def _blocking(target: observed.Revision) -> bool:
    return target.worst is not None and target.worst.severity > observed.Severity.PASSING


def _tried_again(s: situation.Situation, released: observed.Verdict) -> str:
    if s.recreating:
        return unmade.AGAIN
    return unmade.next_try(s, failure.retry_at(s, released))


def _ended(at: reasons.RolloutStep, verdict: observed.Verdict, what_next: str) -> Where:
    return Where(at, verdict.reason, f"{verdict.message}; {what_next}")


def _leaving(s: situation.Situation) -> Where:
    ends = bake.ends_at(s)
    if ends is not None and bake.under_way(s):
        message = f"version {s.asked.version} receives the requests and is watched until {unmade.clock(ends)}"
        return Where(STEP.BAKING, REASON.BAKING, message)
    for revision in s.bystanders:
        until = retirement.warm_until(s, revision)
        if revision.desired > 0 and until is not None:
            message = f"version {revision.version} keeps its pods until {unmade.clock(until)}"
            return Where(STEP.KEEPING_WARM, REASON.KEEPING_WARM, message)
    draining = [r for r in s.bystanders if r.pods > 0 or r.desired > 0]
    if draining:  # without their number, which would be a write of the status for each pod that ends
        message = f"the pods of version {draining[0].version} answer what is still open"
        return Where(STEP.DRAINING, REASON.DRAINING, message)
    return Where(STEP.COMPLETE, REASON.ROLLOUT_COMPLETE, f"version {s.asked.version} receives the requests")


def _count(target: observed.Revision, enough: int) -> str:
    return f"{len(target.ready)} of {enough} pods of version {target.version} are ready"
