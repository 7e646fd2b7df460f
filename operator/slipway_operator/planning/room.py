"""Who makes room for a successor that finds none: a live revision that serves nobody.

A first version that never came up stands behind the Service from its beginning and may hold the only GPU,
while the version that repairs it waits. It gives way as soon as something is known to be wrong with it, or
its time is over. One that has ready pods, or has ever had the traffic, never does.
"""

from __future__ import annotations

import dataclasses

from slipway_operator.api import reasons
from slipway_operator.domain import observed, scarcity
from slipway_operator.planning import actions, decision, failure, situation


def make(s: situation.Situation) -> decision.Decision:
    """Takes the pods of a live revision that serves nobody."""
    live = s.live
    if live is None or live.desired == 0 or not lacking(s) or not s.serves_nobody:
        return decision.NOTHING
    if live.worst is None and not failure.is_late(s, live):
        return decision.wait_until(failure.deadline(s, live))
    return decision.act(actions.GiveWay(live.id))


def lacking(s: situation.Situation) -> bool:
    """The target is being tried and its pods find no node, or no quota."""
    target = s.target
    if target is None or s.target_is_live or s.hibernating or not failure.under_way(target):
        return False
    return any(problem.reason in reasons.NO_ROOM_REASONS for problem in target.problems)


def told(revision: observed.Revision, shortage: scarcity.Shortage) -> observed.Revision:
    """The revision whose pods find no room, with who holds what they need."""
    reason, sentence = scarcity.reason_of(shortage), scarcity.sentence(shortage)
    problems = tuple(
        dataclasses.replace(problem, reason=reason, message=f"{sentence} ({problem.message})")
        if problem.reason in reasons.NO_ROOM_REASONS
        else problem
        for problem in revision.problems
    )
    return dataclasses.replace(revision, problems=problems, shortage=shortage)


def was_given(s: situation.Situation) -> bool:
    """The live revision has given way, and is not to take its room back while another is asked for."""
    return s.live is not None and s.live.desired == 0 and not s.target_is_live and s.serves_nobody
