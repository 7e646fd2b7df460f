"""The children of the model `sentiment` at a real API server, and who owns them.

Must not know what becomes of them.
"""

from __future__ import annotations

from typing import Any

from tests.operator_shell.conftest import Place

Body = dict[str, Any]

COLLECTIONS = {
    "Deployment": ("/apis/apps/v1", "deployments"),
    "Service": ("/api/v1", "services"),
    "PodDisruptionBudget": ("/apis/policy/v1", "poddisruptionbudgets"),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies"),
}
MODEL = ("/apis/slipway.dev/v1alpha1", "inferencemodels")


def path(place: Place, collection: tuple[str, str], name: str = "") -> str:
    root, plural = collection
    return f"{root}/namespaces/{place.models}/{plural}" + (f"/{name}" if name else "")


def children(place: Place) -> dict[tuple[str, str], Body]:
    """By kind and name."""
    found: dict[tuple[str, str], Body] = {}
    for kind, collection in COLLECTIONS.items():
        for body in place.rest.items(path(place, collection)):
            found[kind, body["metadata"]["name"]] = body
    return found


def owners(body: Body) -> list[str]:
    """The uids of those that control it."""
    return [r["uid"] for r in body["metadata"].get("ownerReferences", []) if r.get("controller")]


def nobodys(place: Place) -> list[tuple[str, str]]:
    """Children of whose owner nothing is there."""
    there = {body["metadata"]["uid"] for body in children(place).values()}
    model = place.model()
    alive = there | ({model["metadata"]["uid"]} if model is not None else set())
    return [key for key, body in children(place).items() if not set(owners(body)) & alive]


def strip(place: Place) -> None:
    """None of them has an owner any more."""
    for kind, name in children(place):
        where = path(place, COLLECTIONS[kind], name)
        place.rest.patch(where, {"metadata": {"ownerReferences": None}})


def delete_model(place: Place, policy: str) -> None:
    """As `kubectl delete --cascade` does it: `Orphan` or `Background`."""
    body = {"propagationPolicy": policy}
    place.rest.ask("DELETE", path(place, MODEL, "sentiment"), body, content="application/json")


def restore(place: Place, saved: dict[tuple[str, str], Body], *, owned: bool) -> None:
    """As a backup has them: under new uids, with the owners of old (`owned`) or with none."""
    dropped = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"}
    dropped |= set() if owned else {"ownerReferences"}
    for (kind, _), body in saved.items():
        metadata = {key: value for key, value in body["metadata"].items() if key not in dropped}
        spec = {key: value for key, value in body["spec"].items() if not key.startswith("clusterIP")}
        known = {"apiVersion": api_version(kind), "kind": kind, "metadata": metadata, "spec": spec}
        place.rest.create(path(place, COLLECTIONS[kind]), known)


def api_version(kind: str) -> str:
    return COLLECTIONS[kind][0].removeprefix("/apis/").removeprefix("/api/")
