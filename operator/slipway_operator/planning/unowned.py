"""A child of the model's own that has lost its owner is taken over, before anything else is done about it.

Until then it is seen as the child that it is: what serves goes on serving, and nothing is made a second time.
Each take-over is a write to what other actions would be planned from: so there is none of them in this look.
"""

from __future__ import annotations

from slipway_operator.planning import actions, decision, situation

SUPPORTING = ("PodDisruptionBudget", "NetworkPolicy")
"""Kinds that a rollout can do without: where one cannot be taken over, the rest goes on."""


def take_over(s: situation.Situation) -> decision.Decision:
    """What pods and traffic hang on. Also in a pause: nothing begins by it."""
    lost = (u for u in s.seen.unowned if u.kind not in SUPPORTING)
    return decision.act(*(actions.TakeOver(u.kind, u.name) for u in lost))


def take_over_supporting(s: situation.Situation) -> decision.Decision:
    """The rest of it, beside whatever else is done."""
    lost = (u for u in s.seen.unowned if u.kind in SUPPORTING)
    return decision.act(*(actions.TakeOverSupporting(u.kind, u.name) for u in lost))
