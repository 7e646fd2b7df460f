"""What a revision's source leads to is found out once, before it has a Deployment, by a pod of its own.

An alias or an object that is replaced could let a restarted pod serve other bytes under the same revision; so
the answer is frozen into the Deployment. A wrong bucket, key or digest is found here, before a GPU is taken
and before anybody waits for a turn. A revision that has a Deployment is never resolved again.

Nothing is written about a try but its pod: what became of it is what the pod says. One that has been refused
for good stays until the revision or the retry token changes; any other end is tried again, after a pause that
doubles. One that does not come to an end is left to the kubelet, which starts it when what it lacks is there.
"""

from __future__ import annotations

import datetime

from slipway_operator.api import reasons
from slipway_operator.domain import backoff, observed
from slipway_operator.planning import actions, decision, failure, situation

FIRST_PAUSE_SECONDS = 10


def resolve(s: situation.Situation) -> decision.Decision:
    """Makes the pod that finds it out, and another when a try has failed and may be repeated."""
    if s.target is not None or s.resolved or s.asked.obstacle is not None or _asleep(s):
        return decision.NOTHING
    latest = s.resolver
    if latest is None:
        return _try(s, attempt=1)
    if latest.ended_at is None:
        late = deadline(s, latest)
        return decision.wait_until(late) if late > s.now else decision.NOTHING
    if latest.retry_token != s.asked.retry_token:
        return _try(s, attempt=1)
    if refused(latest):
        return decision.NOTHING
    again = retry_at(latest, latest.ended_at)
    return decision.wait_until(again) if again > s.now else _try(s, attempt=latest.attempt + 1)


def tidy(s: situation.Situation) -> decision.Decision:
    """Removes the pods whose answer is frozen, or of which nobody waits for an answer."""
    kept = s.resolver if s.target is None else None
    over = (r for r in s.seen.resolvers if r is not kept and not r.leaving)
    return decision.act(*(actions.DeleteResolver(r.name) for r in over))


def refused(latest: observed.Resolver) -> bool:
    """The fault lies in what was asked for: another try would end the same way."""
    problem = latest.problem
    return latest.ended_at is not None and problem is not None and _rejects(problem)


def obstacle(s: situation.Situation) -> observed.Problem | None:
    """What stands between a revision without a Deployment and the answer; None while nothing is known to."""
    latest = s.resolver
    if latest is None:
        return None
    if latest.problem is not None:
        return latest.problem
    return _late(s, latest) if s.now >= deadline(s, latest) else None


def next_try(s: situation.Situation) -> datetime.datetime | None:
    """When a try that has failed is repeated; None while one goes on, or has failed for good."""
    latest = s.resolver
    if latest is None or latest.ended_at is None or refused(latest):
        return None
    return retry_at(latest, latest.ended_at)


def failed(s: situation.Situation) -> bool:
    """The last try has ended without an answer."""
    latest = s.resolver
    return s.target is None and latest is not None and latest.ended_at is not None and not s.resolved


def retry_at(latest: observed.Resolver, ended: datetime.datetime) -> datetime.datetime:
    """When a try that has ended is repeated."""
    tries, longest = max(latest.attempt, 1), failure.LONGEST_PAUSE_SECONDS
    return situation.after(ended, backoff.pause(tries, first=FIRST_PAUSE_SECONDS, longest=longest))


def deadline(s: situation.Situation, latest: observed.Resolver) -> datetime.datetime:
    """From then on it is said that a try does not end. Nothing is taken from it: it holds no GPU."""
    return situation.after(latest.made_at, s.asked.progress_deadline)


def _try(s: situation.Situation, *, attempt: int) -> decision.Decision:
    """Under a name that no earlier pod has: the last one stays until this one is there, to tell of it."""
    numbers = (r.number for r in s.seen.resolvers if r.revision == s.asked.revision)
    number = max(numbers, default=0) + 1
    return decision.act(actions.CreateResolver(s.asked.revision, number, attempt))


def _late(s: situation.Situation, latest: observed.Resolver) -> observed.Problem:
    return observed.Problem(
        reason=reasons.ConditionReason.PROGRESS_DEADLINE_EXCEEDED,
        message=f"it has not found out within {s.asked.progress_deadline} s what the source leads to",
        object=f"Pod {latest.name}",
        severity=observed.Severity.BLOCKING,
    )


def _asleep(s: situation.Situation) -> bool:
    return s.hibernating and s.service is not None


def _rejects(problem: observed.Problem) -> bool:
    return problem.severity is observed.Severity.REJECTING
