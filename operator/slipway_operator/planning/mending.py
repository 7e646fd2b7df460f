"""What somebody has edited of our Services is put right: the labels by which they are heard of, the ports,
and what a revision's own Service selects.

Must not know of the stable Service's selector: where the requests go is traffic.py's.
"""

from __future__ import annotations

from slipway_operator.planning import actions, decision, situation


def mend(s: situation.Situation) -> decision.Decision:
    """Also in a pause: nothing begins by it."""
    stable = [""] if s.service is not None and s.service.spoilt else []
    own = [r.id for r in s.seen.revisions if r.has_service and r.spoilt_service and r.desired > 0]
    return decision.act(*(actions.MendService(name) for name in [*stable, *own]))
