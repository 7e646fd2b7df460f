"""`strategy: Recreate`: the old revision leaves before the new one has a pod.

That is an outage, and only done with `allowDowntime`. When the new one fails, the old one comes back; another
try costs another outage, and so takes the user's word.
"""

from __future__ import annotations

from slipway_operator.planning import actions, decision, failure, promotion, situation


def take_down(s: situation.Situation) -> decision.Decision:
    """Takes the live revision's pods when its successor is due."""
    if s.queued and s.recreating:
        return decision.wait_until(s.next_turn)
    if s.live is None or s.live.desired == 0 or not under_way(s):
        return decision.NOTHING
    return decision.act(actions.TakeDown(s.live.id))


def under_way(s: situation.Situation) -> bool:
    """The live revision is to have no pods: another one is asked for, and has not failed."""
    if not s.recreating or s.queued or s.asked.paused or promotion.awaited(s):
        return False
    target = s.target
    if target is None:
        return s.asked.obstacle is None and s.resolved
    return failure.may_try_again(s, target)


def waits(s: situation.Situation) -> bool:
    """The successor has its turn when the last pod before it has gone."""
    return s.recreating and s.live is not None and s.live.pods > 0
