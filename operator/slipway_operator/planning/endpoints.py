"""Every revision that may get requests has a Service of its own, whose EndpointSlices prove its ready pods.

Must not know what is decided by that proof.
"""

from __future__ import annotations

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, situation


def provide(s: situation.Situation) -> decision.Decision:
    """Creates what is missing: each needs its Deployment's uid, so never in the look that creates that."""
    return decision.act(*(actions.CreateRevisionService(r.id) for r in s.seen.revisions if _lacks(s, r)))


def _lacks(s: situation.Situation, revision: observed.Revision) -> bool:
    concerned = revision is s.live or revision is s.target or revision.promoted_at is not None
    return concerned and revision.desired > 0 and not revision.has_service
