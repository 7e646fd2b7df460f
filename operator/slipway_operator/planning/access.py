"""The model's NetworkPolicy is there, or is not, as the administrator's settings have it.

Must not know whom it lets in.
"""

from __future__ import annotations

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, situation


def provide(s: situation.Situation) -> decision.Decision:
    """One for all revisions of the model, so that a rollout does not touch it."""
    found = s.seen.access
    if s.asked.restricted and found is not observed.Access.CURRENT:
        return decision.act(actions.ApplyAccess())
    if not s.asked.restricted and found is not observed.Access.ABSENT:
        return decision.act(actions.DeleteAccess())
    return decision.NOTHING
