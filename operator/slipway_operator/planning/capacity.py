"""The live revision has the replicas that the user asks for; at zero the model hibernates.

Must not know of the target: its size is its attempt's.
"""

from __future__ import annotations

from slipway_operator.planning import actions, decision, recreation, room, situation


def follow(s: situation.Situation) -> decision.Decision:
    """Scales the live revision to `spec.replicas`, and while hibernating every revision to 0."""
    if s.hibernating:
        return decision.act(*(actions.Scale(r.id, 0) for r in s.seen.revisions if r.desired > 0))
    if s.live is None or s.live.desired == s.asked.replicas:
        return decision.NOTHING
    if room.was_given(s) or recreation.under_way(s):
        return decision.NOTHING
    return decision.act(actions.Scale(s.live.id, s.asked.replicas))
