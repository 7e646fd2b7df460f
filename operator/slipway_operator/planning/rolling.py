"""`strategy: Rolling`, for scarce GPUs: pods of the new revision take the place of the old one's by turns.

Once all other revisions have no pods, the stable Service's selector widens to every pod of the model; each
has proved itself before it is ready. Then one new pod more and one old pod less, within `maxSurge` and
`maxUnavailable`; a pod that is ending counts until it has really gone, and its GPU with it. It ends on the
single revision. There is no bake and no way back in an instant, but one by the same turns, at any point:
whatever is asked for, or what served before when that has failed, is where the turns lead.
"""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import (
    actions,
    attempt,
    decision,
    failure,
    promotion,
    resolution,
    situation,
    traffic,
)


def roll(s: situation.Situation) -> decision.Decision:
    """The next step of a rollout by turns."""
    if s.service is None or s.hibernating:
        return decision.NOTHING
    return _turn(s, s.service) if s.service.wide else _begin(s, s.service)


def possible(s: situation.Situation) -> bool:
    """A pod may be added, or one may be missing."""
    return s.asked.max_surge > 0 or _floor(s) < s.asked.replicas


def waits_for(s: situation.Situation) -> tuple[observed.Revision, ...]:
    """Third revisions that have pods: with the selector widened those would get requests again."""
    if not s.rolling or s.service is None or s.service.wide:
        return ()
    return tuple(r for r in s.bystanders if r.pods or r.desired)


def late(s: situation.Situation, target: observed.Revision) -> bool:
    """One of its pods has taken all the time that it may; waiting for its turn does not count."""
    ends = _deadline(s, target)
    return ends is not None and s.now >= ends


def makes_room(s: situation.Situation, target: observed.Revision) -> bool:
    """What finds no room yet will find some: a pod before it is ending, or is about to."""
    others = _others(s, target)
    return any(r.pods > r.desired for r in others) or _fewer(s, target, others) is not None


# -- the beginning --


def _begin(s: situation.Situation, service: observed.TrafficService) -> decision.Decision:
    target, live = s.target, s.live
    if live is None or not possible(s) or promotion.awaited(s):
        return decision.NOTHING
    if target is None:
        return attempt.create(s, size=0)
    if target.rejected or target.released:
        return attempt.after_verdict(s, target, size=0)
    if target.attempt_spent or _was_overtaken(target):
        return attempt.again(s, target, size=target.desired)
    if waits_for(s):
        return decision.NOTHING
    widen = actions.WidenTraffic(live.id, s.now, service.resource_version)
    return decision.act(*traffic.note(s, live).actions, widen)


def _was_overtaken(target: observed.Revision) -> bool:
    """It had begun with pods, and has lost them to another that was asked for meanwhile."""
    return target.desired == 0 and target.latched > 0


# -- the turns --


def _turn(s: situation.Situation, service: observed.TrafficService) -> decision.Decision:
    target = s.target
    if target is None and s.asked.obstacle is None and not resolution.failed(s):
        return attempt.create(s, size=0)
    if target is not None and _is_due(s, target):
        return attempt.again(s, target, size=target.desired)
    if target is not None and (verdict := _judge(s, target)) is not None:
        return decision.act(verdict)
    goal = _goal(s)
    if goal is None:
        return decision.NOTHING
    others = _others(s, goal)
    step = _more(s, goal, others) or (_fewer(s, goal, others) if others else _narrow(s, service, goal))
    return decision.act(step) if step else decision.Decision(look_again=_next(s, goal))


def _is_due(s: situation.Situation, target: observed.Revision) -> bool:
    """It had the traffic before, or has failed and is to be tried again."""
    ended = target.rejected is not None or target.released is not None
    return failure.may_try_again(s, target) if ended else target.attempt_spent


def _judge(s: situation.Situation, target: observed.Revision) -> actions.Action | None:
    """Its ready pods go on answering: they leave by turns like all others."""
    if target.rejected or target.released:
        return None
    worst = target.worst
    if worst is not None and worst.severity is observed.Severity.REJECTING:
        return actions.Reject(target.id, failure.verdict(s, worst))
    if late(s, target):
        why = failure.why_late(s, target, wanted=target.desired)
        return actions.Release(target.id, failure.verdict(s, why))
    return None


def _goal(s: situation.Situation) -> observed.Revision | None:
    """What is asked for; when that has failed, what can answer, and of that rather what has served before."""
    target = s.target
    if target is not None and not target.rejected and not target.released:
        return target
    others = [r for r in s.seen.revisions if r is not target]
    return max(others, key=_worth, default=target)


def _worth(revision: observed.Revision) -> tuple[bool, bool, bool, int]:
    able = revision.rejected is None
    return able, bool(revision.ready), revision.promoted_at is not None, len(revision.ready)


def _more(
    s: situation.Situation, goal: observed.Revision, others: list[observed.Revision]
) -> actions.Action | None:
    """One pod more when all so far have proved themselves and it may be added; at the end all the rest."""
    if goal.desired == s.asked.replicas:
        return None
    if not others or goal.desired > s.asked.replicas:
        return actions.Scale(goal.id, s.asked.replicas)
    taken = sum(max(r.desired, r.pods) for r in (goal, *others))
    if _proven(s, goal) < goal.desired or taken >= s.asked.replicas + s.asked.max_surge:
        return None
    return actions.Scale(goal.id, goal.desired + 1)


def _fewer(
    s: situation.Situation, goal: observed.Revision, others: list[observed.Revision]
) -> actions.Action | None:
    """One pod less of what leaves: one that does not answer, or one that may be missing."""
    standing = [r for r in others if r.desired > 0]
    if not standing:
        return None
    origin = s.service.switch.origin if s.service and s.service.switch else None
    leaving = min(standing, key=lambda r: (len(r.ready) >= r.desired, r.id == origin, r.id))
    answering = _proven(s, goal) + sum(min(len(r.ready), r.desired) for r in others)
    if len(leaving.ready) >= leaving.desired and answering - 1 < _floor(s):
        return None
    return actions.Scale(leaving.id, leaving.desired - 1)


def _narrow(
    s: situation.Situation, service: observed.TrafficService, goal: observed.Revision
) -> actions.Action | None:
    """The end: only one revision has pods, and all of them have proved themselves."""
    if _proven(s, goal) < s.asked.replicas:
        return None
    origin = service.switch.origin if service.switch and service.switch.origin != goal.id else None
    back = goal is not s.target
    return actions.SwitchTraffic(origin, goal.id, s.now, service.resource_version, back=back)


# -- numbers and times --


def _others(s: situation.Situation, goal: observed.Revision) -> list[observed.Revision]:
    return [r for r in s.seen.revisions if r is not goal and (r.desired or r.pods)]


def _floor(s: situation.Situation) -> int:
    least = max(s.asked.replicas - s.asked.max_unavailable, 0)
    return least if s.asked.allow_downtime else max(least, min(s.asked.replicas, 1))


def _proven(s: situation.Situation, goal: observed.Revision) -> int:
    return min(goal.settled(seconds=s.asked.min_ready, now=s.now), goal.desired)


def _deadline(s: situation.Situation, target: observed.Revision) -> datetime.datetime | None:
    """Of the pods that it lacks now: each turn has its time anew, what is about to be made all of it."""
    if len(target.ready) >= target.desired or target.short_since is None:
        return None
    begun = max(target.attempt_started_at, target.short_since)
    return situation.after(begun, s.asked.progress_deadline)


def _next(s: situation.Situation, goal: observed.Revision) -> datetime.datetime | None:
    """When a pod will have been ready for long enough, or have taken too long."""
    moments = [situation.after(pod.since, s.asked.min_ready) for pod in goal.ready]
    if goal is s.target and (ends := _deadline(s, goal)) is not None:
        moments.append(ends)
    if s.target is not None and s.target.released is not None:
        moments.append(failure.retry_at(s, s.target.released))
    return min((moment for moment in moments if moment > s.now), default=None)
