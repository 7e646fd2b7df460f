"""Where the kinds of object that Slipway touches live in the API."""

from __future__ import annotations

from slipway_operator.api import model as api


def models(namespace: str, name: str) -> str:
    return f"/apis/{api.API_VERSION}/namespaces/{namespace}/{api.PLURAL}/{name}"


def crd_resources() -> str:
    """Answers 404 while the CRD is not installed."""
    return f"/apis/{api.API_VERSION}"


def deployments(namespace: str, name: str = "") -> str:
    return _named(f"/apis/apps/v1/namespaces/{namespace}/deployments", name)


def services(namespace: str, name: str = "") -> str:
    return _named(f"/api/v1/namespaces/{namespace}/services", name)


def pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def endpoint_slices(namespace: str) -> str:
    return f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"


def events(namespace: str) -> str:
    return f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"


def _named(collection: str, name: str) -> str:
    return f"{collection}/{name}" if name else collection
