"""What somebody has edited of our Services and budgets. Pure.

Of a Service the patch that puts it right, {} where nothing is wrong.

A Service that is lent is its owner's, and none of ours.
"""

from __future__ import annotations

from typing import Any

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.rendering import comparison, disruption, service

Body = dict[str, Any]


def of_stable(model: api.InferenceModel, found: Body) -> Body:
    """Of the stable Service, but for where it leads."""
    return service.repair(found, service.wherever_it_leads(model))


def of_revision(model: api.InferenceModel, deployment: Body, found: Body) -> Body:
    """Of a revision's own Service; its Deployment says what it is for."""
    metadata = deployment["metadata"]
    wanted = service.of_revision(
        model,
        revision=metadata["labels"][labels.REVISION],
        version=metadata["labels"][labels.VERSION],
        deployment_uid=metadata["uid"],
    )
    return service.repair(found, wanted)


def is_spoilt(model: api.InferenceModel, deployment: Body, budget: Body) -> bool:
    """What of a budget protects, and whom; an API server may not know when it lets broken pods go."""
    metadata, found = deployment["metadata"], budget.get("spec", {})
    wanted = disruption.of_revision(
        model,
        revision=metadata["labels"][labels.REVISION],
        version=metadata["labels"][labels.VERSION],
        deployment_uid=metadata["uid"],
    )["spec"]
    if "unhealthyPodEvictionPolicy" not in found:
        del wanted["unhealthyPodEvictionPolicy"]
    return not comparison.owns(found, wanted)
