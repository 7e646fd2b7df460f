"""A revision of several pods has a PodDisruptionBudget: a node's drain takes one of them at a time.

At one pod there is none: it would protect nothing. What retires keeps its own, and loses it with its
Deployment.
"""

from __future__ import annotations

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, situation


def provide(s: situation.Situation) -> decision.Decision:
    """By the number that is asked for: while pods come and go by turns, budgets do not."""
    if s.asked.replicas > 1:
        return decision.act(*(actions.CreateBudget(r.id) for r in s.seen.revisions if _lacks(s, r)))
    if s.asked.replicas == 1:
        return decision.act(*(actions.DeleteBudget(r.id) for r in s.seen.revisions if r.has_budget))
    return decision.NOTHING


def _lacks(s: situation.Situation, revision: observed.Revision) -> bool:
    concerned = revision is s.live or revision is s.target
    return concerned and revision.desired > 0 and not revision.has_budget
