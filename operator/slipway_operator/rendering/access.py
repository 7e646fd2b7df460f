"""A model's NetworkPolicy: requests from wherever they come, metrics and probes for those who look after it.

Incoming connections only. What a pod may reach is not restricted: a policy cannot name S3, and one that
forbade the rest would break workload identity. A node reaches its own pods whatever a policy says.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from slipway_operator.api import model as api
from slipway_operator.rendering import identity

REQUEST_PORTS = (8080, 9000)
PROBE_PORT = 8081
_NAMESPACE_NAME = "kubernetes.io/metadata.name"  # Kubernetes gives it to each namespace


@dataclasses.dataclass(frozen=True, slots=True)
class Visitors:
    """Who may reach the probes' port, beside the nodes: the operator's pods, and monitoring's namespaces."""

    operator_namespace: str
    monitoring: str = ""  # JSON of a LabelSelector of namespaces; "": none


def of_model(model: api.InferenceModel, visitors: Visitors) -> identity.Body:
    """The policy, for the pods of all revisions."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": identity.metadata(
            name=identity.access_name(model.name),
            namespace=model.namespace,
            labelled=identity.common_labels(model.name),
            owner=identity.owner_of(model),
        ),
        "spec": {
            "podSelector": {"matchLabels": identity.wide_selector(model.name)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"ports": [_port(number) for number in REQUEST_PORTS]},
                {"ports": [_port(PROBE_PORT)], "from": _visitors(visitors)},
            ],
        },
    }


def _visitors(visitors: Visitors) -> list[dict[str, Any]]:
    operator = {
        "namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: visitors.operator_namespace}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "slipway-operator"}},
    }
    return [
        operator,
        *([{"namespaceSelector": json.loads(visitors.monitoring)}] if visitors.monitoring else []),
    ]


def _port(number: int) -> dict[str, Any]:
    return {"port": number, "protocol": "TCP"}
