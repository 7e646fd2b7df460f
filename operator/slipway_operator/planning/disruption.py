"""A revision of several pods has a PodDisruptionBudget: a node's drain takes one of them at a time.

At one pod there is none: it would protect nothing. What retires keeps its own, and loses it with its
Deployment. One that somebody has edited is made anew: at first it goes, and the next look finds it missing.
"""

from __future__ import annotations

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, situation


def provide(s: situation.Situation) -> decision.Decision:
    """By the number that is asked for: while pods come and go by turns, budgets do not."""
    if s.asked.replicas > 1:
        needing = [r for r in s.seen.revisions if _needs(s, r)]
        missing = (actions.CreateBudget(r.id) for r in needing if not r.has_budget)
        edited = (
            actions.DeleteBudget(r.id, edited=True) for r in needing if r.has_budget and r.spoilt_budget
        )
        return decision.act(*missing, *edited)
    if s.asked.replicas == 1:
        return decision.act(*(actions.DeleteBudget(r.id) for r in s.seen.revisions if r.has_budget))
    return decision.NOTHING


def _needs(s: situation.Situation, revision: observed.Revision) -> bool:
    return revision.desired > 0 and (revision is s.live or revision is s.target)
