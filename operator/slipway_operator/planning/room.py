"""Who makes room for a successor that finds none: a live revision that serves nobody.

A first version that never came up stands behind the Service from its beginning and may hold the only GPU,
while the version that repairs it waits. It gives way as soon as something is known to be wrong with it, or
its time is over. One that has ready pods, or has ever had the traffic, never does.
"""

from __future__ import annotations

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, failure, situation

_REASONS = frozenset({reasons.ConditionReason.UNSCHEDULABLE, reasons.ConditionReason.QUOTA_EXCEEDED})


def make(s: situation.Situation) -> decision.Decision:
    """Takes the pods of a live revision that serves nobody."""
    live = s.live
    if live is None or live.desired == 0 or not lacking(s) or not serves_nobody(s, live):
        return decision.NOTHING
    if live.worst is None and not failure.is_late(s, live):
        return decision.wait_until(failure.deadline(s, live))
    return decision.act(actions.GiveWay(live.id))


def lacking(s: situation.Situation) -> bool:
    """The target is being tried and its pods find no node, or no quota."""
    target = s.target
    if target is None or s.target_is_live or s.hibernating or not failure.under_way(target):
        return False
    return any(problem.reason in _REASONS for problem in target.problems)


def was_given(s: situation.Situation, live: observed.Revision) -> bool:
    """The live revision has given way, and is not to take its room back while another is asked for."""
    return live.desired == 0 and not s.target_is_live and serves_nobody(s, live)


def serves_nobody(s: situation.Situation, live: observed.Revision) -> bool:
    """It has had the traffic from the start, never a ready pod to answer it, and has none now."""
    return live.promoted_at is None and not s.switched and s.live_ready == 0
