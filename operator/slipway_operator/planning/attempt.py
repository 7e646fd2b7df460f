"""The asked-for revision exists, is being tried, and has the pods that it needs to prove itself.

Must not know when an attempt has failed (failure.py) nor when it has succeeded (traffic.py).
"""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, failure, situation


def ensure(s: situation.Situation) -> decision.Decision:
    """Creates the target, starts another attempt where one is due, keeps its size."""
    if s.target is None:
        return _create(s)
    if s.target_is_live or s.hibernating:
        return decision.NOTHING
    return _try(s, s.target)


def _create(s: situation.Situation) -> decision.Decision:
    if s.asked.obstacle is not None or (s.hibernating and s.service is not None):
        return decision.NOTHING
    return decision.act(actions.CreateDeployment(s.asked.revision, s.first_size, s.now))


def _try(s: situation.Situation, target: observed.Revision) -> decision.Decision:
    if target.rejected or target.released:
        return _after_verdict(s, target)
    if target.attempt_spent or target.desired == 0:
        return _start(s, target, number=1 if target.attempt_spent else target.attempt_number)
    if target.desired != s.target_size:
        return decision.act(actions.Scale(target.id, s.target_size))
    return decision.NOTHING


def _after_verdict(s: situation.Situation, target: observed.Revision) -> decision.Decision:
    verdict = target.rejected or target.released
    if verdict is not None and failure.may_try_again(s, target):
        by_hand = s.asked.retry_token != verdict.retry_token
        return _start(s, target, number=1 if by_hand else verdict.attempts + 1)
    if s.gets_requests(target):  # put there by hand, and just taken away
        return decision.NOTHING
    if target.desired > 0:  # stopped between the verdict and the scale-down
        return decision.act(actions.Scale(target.id, 0))
    if target.released is not None and target.rejected is None:
        return decision.wait_until(failure.retry_at(s, target.released))
    return decision.NOTHING


def _start(s: situation.Situation, target: observed.Revision, *, number: int) -> decision.Decision:
    size = s.first_size
    start = actions.StartAttempt(target.id, size, _begins(s, target), number)
    if target.desired == size:
        return decision.act(start)
    return decision.act(start, actions.Scale(target.id, size))


def _begins(s: situation.Situation, target: observed.Revision) -> datetime.datetime:
    """Now, but after the last attempt and promotion: a clock that went back must not make a new one old."""
    last = max(target.attempt_started_at, target.promoted_at or target.attempt_started_at)
    return max(s.now, last + datetime.timedelta(microseconds=1))
