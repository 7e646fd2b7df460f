"""The asked-for revision exists, is being tried, and has the pods that it needs to prove itself.

Must not know when an attempt has failed (failure.py) nor when it has succeeded (traffic.py).
"""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, failure, recreation, situation


def ensure(s: situation.Situation) -> decision.Decision:
    """Creates the target, starts another attempt where one is due, keeps its size."""
    if recreation.waits(s):
        return decision.NOTHING
    if s.target is None:
        return create(s, size=s.first_size)
    if s.target_is_live or s.hibernating:
        return decision.NOTHING
    return _try(s, s.target)


def create(s: situation.Situation, *, size: int) -> decision.Decision:
    """The target's Deployment with `size` replicas, if nothing forbids it."""
    if s.asked.obstacle is not None or (s.hibernating and s.service is not None):
        return decision.NOTHING
    if not s.resolved:
        return decision.NOTHING
    if s.queued:
        return decision.wait_until(s.next_turn)
    return decision.act(actions.CreateDeployment(s.asked.revision, size, s.now, _beside(s)))


def _try(s: situation.Situation, target: observed.Revision) -> decision.Decision:
    if target.rejected or target.released:
        return after_verdict(s, target, size=s.first_size)
    if target.attempt_spent or target.desired == 0:
        number = 1 if target.attempt_spent else target.attempt_number
        return start(s, target, number=number, size=s.first_size)
    if target.desired != s.target_size:
        return decision.act(actions.Scale(target.id, s.target_size))
    return decision.NOTHING


def after_verdict(s: situation.Situation, target: observed.Revision, *, size: int) -> decision.Decision:
    """Takes what an ended attempt still holds; when it may be repeated, that begins with `size` replicas."""
    if failure.may_try_again(s, target):
        return again(s, target, size=size)
    if s.gets_requests(target):  # put there by hand, and just taken away
        return decision.NOTHING
    if target.desired > 0:  # stopped between the verdict and the scale-down
        return decision.act(actions.Scale(target.id, 0))
    if target.released is not None and target.rejected is None and not s.recreating:
        return decision.wait_until(failure.retry_at(s, target.released))
    return decision.NOTHING


def again(s: situation.Situation, target: observed.Revision, *, size: int) -> decision.Decision:
    """Repeats an attempt that has ended. On the user's word it counts as the first."""
    verdict = target.rejected or target.released
    repeated = verdict is not None and s.asked.retry_token == verdict.retry_token
    number = verdict.attempts + 1 if verdict is not None and repeated else 1
    return start(s, target, number=number, size=size)


def start(s: situation.Situation, target: observed.Revision, *, number: int, size: int) -> decision.Decision:
    """Another attempt, with `size` replicas: its clock starts anew."""
    if s.queued:
        return decision.wait_until(s.next_turn)
    begin = actions.StartAttempt(target.id, size, _begins(s, target), number, _beside(s))
    if target.desired == size:
        return decision.act(begin)
    return decision.act(begin, actions.Scale(target.id, size))


def _beside(s: situation.Situation) -> int | None:
    """What the live revision has, where more is asked for: capacity.py leaves it at that meanwhile."""
    live = s.live
    if live is None or s.rolling or not 0 < live.desired < s.asked.replicas:
        return None
    return live.desired


def _begins(s: situation.Situation, target: observed.Revision) -> datetime.datetime:
    """Now, but after the last attempt and promotion: a clock that went back must not make a new one old."""
    last = max(target.attempt_started_at, target.promoted_at or target.attempt_started_at)
    return max(s.now, last + datetime.timedelta(microseconds=1))
