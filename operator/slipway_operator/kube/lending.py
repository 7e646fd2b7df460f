"""A Service that bears the model's name, belongs to somebody else, and is lent to it. Pure.

Its owner says so with the annotation `slipway.dev/adopt: "true"`. Slipway changes nothing of it but where it
leads, and so its ports must lead to those of a runtime as they are.
"""

from __future__ import annotations

from typing import Any

from slipway_operator.api import labels
from slipway_operator.api import model as api

Body = dict[str, Any]

# By their numbers, or by the names that a runtime's container gives them.
_PORTS_OF_A_RUNTIME = (8080, 9000, "http", "grpc")


def is_lent(service: Body, model: api.InferenceModel) -> bool:
    """Its owner has said so, and it is not the model's own."""
    metadata = service["metadata"]
    asked = metadata.get("annotations", {}).get(labels.ADOPT) == "true"
    return asked and not any(r["uid"] == model.metadata.uid for r in metadata.get("ownerReferences", []))


def is_borrowed(service: Body, model: api.InferenceModel) -> bool:
    """The stable Service, lent by its owner and fit to lead to a runtime's pods."""
    stable = service["metadata"]["name"] == model.name
    return stable and is_lent(service, model) and not obstacle(service)


def obstacle(service: Body) -> str:
    """Why this Service cannot lead to a runtime's pods as it is; "" when it can."""
    spec = service.get("spec", {})
    if spec.get("type") == "ExternalName":
        return "it is of type ExternalName"
    for port in spec.get("ports", []):
        target = port.get("targetPort", port.get("port"))
        if target not in _PORTS_OF_A_RUNTIME or port.get("protocol", "TCP") != "TCP":
            return (
                f"its port {port.get('port')} leads to {target}, and a runtime listens at 8080 (called http) "
                "and 9000 (called grpc): name the targetPort http or grpc, and so the old pods' port"
            )
    return ""
