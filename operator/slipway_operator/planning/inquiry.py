"""What else is worth being asked before the decision: each of it costs requests, and is mostly of no account.

Pure. Must not know of whom it is asked.
"""

from __future__ import annotations

import dataclasses

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, bake, failure, plan, situation, slowness

_BEGINNINGS = (actions.CreateDeployment, actions.StartAttempt, actions.TakeDown)


@dataclasses.dataclass(frozen=True, slots=True)
class Questions:
    """Each names the revision that it is about, or is None."""

    answers_of: str | None = None  # what do its pods answer?
    pace_of: str | None = None  # how long did its pods take for their answers, for comparison?
    words_of: str | None = None  # what has a pod of it logged, that runs and is about to be let go?
    room_of: str | None = None  # of what is there too little for its pods, and who holds it?
    turn: bool = False  # may the rollout begin that is about to?


def questions(s: situation.Situation, *, limited: bool = False) -> Questions:
    """What could change what is done or said now; `limited` when not all rollouts may go on at a time."""
    live, old = s.live, s.predecessor
    return Questions(
        answers_of=live.id if live is not None and bake.worth_hearing(s) else None,
        pace_of=old.id if old is not None and slowness.worth_comparing(s) else None,
        words_of=s.target.id if s.target is not None and _lets_go(s, s.target) else None,
        room_of=next((r.id for r in (s.target, live) if r is not None and _finds_no_room(r)), None),
        turn=limited and _begins(s),
    )


def _finds_no_room(revision: observed.Revision) -> bool:
    return any(problem.reason in reasons.NO_ROOM_REASONS for problem in revision.problems)


def _lets_go(s: situation.Situation, target: observed.Revision) -> bool:
    """Its pods are released now, and their logs go with them."""
    if not failure.under_way(target) or not failure.is_late(s, target):
        return False
    return any(isinstance(action, actions.Release) for action in _decided(s))


def _decided(s: situation.Situation) -> tuple[actions.Action, ...]:
    return plan.plan(s.asked, s.seen, now=s.now, model="", namespace="").actions


def _begins(s: situation.Situation) -> bool:
    """It would begin a rollout now. A way back is none, nor what is to serve where nobody is served."""
    if s.live is None or s.live_ready == 0 or s.returning:
        return False
    return any(isinstance(action, _BEGINNINGS) for action in _decided(s))
