"""A child of the model's own that has lost its owner is taken over, before anything else is done.

Until then it is seen as the child that it is: what serves goes on serving, and nothing is made a second time.
Each take-over is a write to what other actions would be planned from: so there is none of them in this look.
"""

from __future__ import annotations

from slipway_operator.planning import actions, decision, situation


def take_over(s: situation.Situation) -> decision.Decision:
    """Also in a pause: nothing begins by it."""
    return decision.act(*(actions.TakeOver(u.kind, u.name) for u in s.seen.unowned))
