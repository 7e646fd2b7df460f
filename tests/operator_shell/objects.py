"""Kubernetes objects as the API server returns them, for tests of what the operator reads out of them."""

from typing import Any

Object = dict[str, Any]

MODEL_UID = "model-uid"
NOW = "2026-01-02T03:04:05Z"


VERSIONS = {"InferenceModel": "slipway.dev/v1alpha1", "Deployment": "apps/v1"}


def owned_by(kind: str, name: str, uid: str) -> list[Object]:
    version = VERSIONS.get(kind, "example.com/v1")
    return [{"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": True}]


def deployment(revision: str, *, replicas: int = 2, annotations: dict[str, str] | None = None) -> Object:
    """A revision's Deployment, owned by the model `sentiment`."""
    return {
        "metadata": {
            "name": f"sentiment-{revision}",
            "uid": f"uid-{revision}",
            "creationTimestamp": NOW,
            "labels": {"slipway.dev/revision": revision, "slipway.dev/version": "1"},
            "annotations": annotations or {},
            "ownerReferences": owned_by("InferenceModel", "sentiment", MODEL_UID),
        },
        "spec": {"replicas": replicas},
        "status": {},
    }


def stable_service(revision: str, *, annotations: dict[str, str] | None = None, **metadata: Any) -> Object:
    """The Service that clients call."""
    return {
        "metadata": {
            "name": "sentiment",
            "uid": "service-uid",
            "resourceVersion": "41",
            "creationTimestamp": NOW,
            "annotations": annotations or {},
            "ownerReferences": owned_by("InferenceModel", "sentiment", MODEL_UID),
            **metadata,
        },
        "spec": {"selector": {"slipway.dev/model": "sentiment", "slipway.dev/revision": revision}},
    }


def revision_service(revision: str) -> Object:
    """The Service that proves a revision."""
    name = f"sentiment-{revision}"
    owner = owned_by("Deployment", name, f"uid-{revision}")
    return {"metadata": {"name": name, "ownerReferences": owner, "resourceVersion": "7"}, "spec": {}}


def pod(
    uid: str,
    revision: str,
    *,
    ready: bool = True,
    terminating: bool = False,
    container: Object | None = None,
    beside: list[Object] | None = None,
    before: list[Object] | None = None,
) -> Object:
    """A pod of a revision; `container` is the status of the runtime's.

    `beside` are those of containers that somebody has injected, listed first here; `before` those of injected
    init containers.
    """
    metadata: Object = {"name": f"pod-{uid}", "uid": uid, "labels": {"slipway.dev/revision": revision}}
    if terminating:
        metadata["deletionTimestamp"] = NOW
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": NOW}
    own = [{"name": "runtime", **container}] if container else []
    status: Object = {"phase": "Running", "conditions": [condition]}
    status["containerStatuses"] = [*(beside or []), *own]
    if before:
        status["initContainerStatuses"] = before
    return {"metadata": metadata, "status": status}


def endpoint_slice(service: str, **ready: bool | None) -> Object:
    """A slice of a Service: pod uid -> ready."""
    endpoints = [{"targetRef": {"uid": uid}, "conditions": {"ready": says}} for uid, says in ready.items()]
    return {"metadata": {"labels": {"kubernetes.io/service-name": service}}, "endpoints": endpoints}
