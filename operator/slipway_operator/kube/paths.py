"""Where the kinds of object that Slipway touches live in the API."""

from __future__ import annotations

from typing import NamedTuple

from slipway_operator.api import model as api


def models(namespace: str, name: str) -> str:
    return f"/apis/{api.API_VERSION}/namespaces/{namespace}/{api.PLURAL}/{name}"


def crd_resources() -> str:
    """Answers 404 while the CRD is not installed."""
    return f"/apis/{api.API_VERSION}"


def deployments(namespace: str, name: str = "") -> str:
    """Of all namespaces when none is named."""
    within = f"/namespaces/{namespace}" if namespace else ""
    return _named(f"/apis/apps/v1{within}/deployments", name)


def services(namespace: str, name: str = "") -> str:
    return _named(f"/api/v1/namespaces/{namespace}/services", name)


def pods(namespace: str, name: str = "") -> str:
    """Of all namespaces when none is named."""
    return _named(f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods", name)


def log(namespace: str, pod: str) -> str:
    return f"{pods(namespace)}/{pod}/log"


def nodes() -> str:
    return "/api/v1/nodes"


def endpoint_slices(namespace: str) -> str:
    return f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"


def budgets(namespace: str, name: str = "") -> str:
    return _named(f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets", name)


def network_policies(namespace: str, name: str) -> str:
    return f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/{name}"


def children(kind: str, namespace: str, name: str) -> str:
    """One child, by its kind."""
    match kind:
        case "Deployment":
            return deployments(namespace, name)
        case "Service":
            return services(namespace, name)
        case "PodDisruptionBudget":
            return budgets(namespace, name)
        case "NetworkPolicy":
            return network_policies(namespace, name)
        case _:
            raise ValueError(f"{kind} is no kind of child that has a path here")


def events(namespace: str) -> str:
    return f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"


def leases(namespace: str, name: str = "") -> str:
    return _named(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", name)


def all_models(namespace: str = "") -> str:
    """Those of a namespace, or of all."""
    within = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{api.API_VERSION}{within}/{api.PLURAL}"


class Place(NamedTuple):
    """What a path leads to; a part that it does not name is empty."""

    kind: str  # plural, as in the path
    namespace: str
    name: str


def place_of(path: str) -> Place:
    """The kind is one of those named in this module, so there are few; "" is a group's own page."""
    parts = path.strip("/").split("/")
    below = parts[2:] if parts[0] == "api" else parts[3:]  # after /api/v1, /apis/GROUP/VERSION
    if below[:1] != ["namespaces"]:
        return Place(below[0] if below else "", "", "")
    namespace, kind, name, *_ = [*below[1:], "", "", ""]
    return Place(kind, namespace, name)


def _named(collection: str, name: str) -> str:
    return f"{collection}/{name}" if name else collection
