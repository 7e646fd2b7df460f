"""A Service that was there before the model, and that its owner lends: it leads to pods which are not ours.

Its selector moves when enough pods of the first revision have proved themselves; until then those of its
owner answer, and they are left to him for ever. Of the Service nothing becomes ours but where it leads.
"""

from __future__ import annotations

from slipway_operator.planning import actions, decision, situation


def mark(s: situation.Situation) -> decision.Decision:
    """Makes its changes heard of, before it is moved for the first time."""
    service = s.service
    if service is None or not service.lent or service.marked:
        return decision.NOTHING
    return decision.act(actions.MarkLentService(service.resource_version))
