"""The live revision has the replicas that the user asks for; at zero the model hibernates.

Must not know of the target: its size is its attempt's.
"""

from __future__ import annotations

from slipway_operator.planning import actions, decision, situation


def follow(s: situation.Situation) -> decision.Decision:
    """Scales the live revision to `spec.replicas`, and everything else to 0 while hibernating."""
    live = s.live
    if live is None:
        return decision.NOTHING
    wanted = () if live.desired == s.asked.replicas else (actions.Scale(live.id, s.asked.replicas),)
    if not s.hibernating:
        return decision.act(*wanted)
    asleep = tuple(actions.Scale(r.id, 0) for r in s.seen.revisions if r.id != live.id and r.desired > 0)
    return decision.act(*wanted, *asleep)
