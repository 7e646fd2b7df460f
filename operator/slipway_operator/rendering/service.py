"""The kinds of Service: the stable one, which clients call, one for each revision, which proves it, and one
for trying what waits for its promotion.

Must not know when the selector moves.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.domain import observed
from slipway_operator.rendering import identity

# The same target ports for every version: the EndpointSlice controller then turns a selector's move into
# one update of one slice, which no reader can see half done.
_PORTS = [
    {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP", "appProtocol": "http"},
    {
        "name": "grpc",
        "port": 9000,
        "targetPort": 9000,
        "protocol": "TCP",
        "appProtocol": "kubernetes.io/h2c",  # gRPC without TLS, for meshes and gateways
    },
]


_OUR_LABELS = "slipway.dev/"


def stable(model: api.InferenceModel, *, revision: str) -> identity.Body:
    """The Service that bears the model's name, selecting `revision` from the start."""
    return _of_model(model, name=model.name, revision=revision)


def wherever_it_leads(model: api.InferenceModel) -> identity.Body:
    """What is ours of the stable Service: all but its selector, which has a policy of its own."""
    body = stable(model, revision="")
    del body["spec"]["selector"]
    return body


def preview(model: api.InferenceModel, *, revision: str) -> identity.Body:
    """The Service for trying `revision`."""
    return _of_model(model, name=identity.preview_name(model.name), revision=revision)


def _of_model(model: api.InferenceModel, *, name: str, revision: str) -> identity.Body:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": identity.metadata(
            name=name,
            namespace=model.namespace,
            labelled=identity.common_labels(model.name),
            owner=identity.owner_of(model),
        ),
        "spec": {
            "type": "ClusterIP",
            "selector": identity.selector(model.name, revision),
            "ports": _PORTS,
        },
    }


def of_revision(
    model: api.InferenceModel, *, revision: str, version: str, deployment_uid: str
) -> identity.Body:
    """A revision's own Service. Its Deployment owns it: trimming the one removes both."""
    name = identity.child_name(model.name, revision)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": identity.metadata(
            name=name,
            namespace=model.namespace,
            labelled=identity.revision_labels(model.name, revision, version),
            owner=identity.Owner("apps/v1", "Deployment", name, deployment_uid),
        ),
        "spec": {
            "type": "ClusterIP",
            "selector": identity.selector(model.name, revision),
            "ports": _PORTS,
        },
    }


def repair(found: identity.Body, wanted: identity.Body) -> identity.Body:
    """The patch by which a Service of ours is again as it was made, if nobody was faster; {} where it is.

    `wanted` says what is ours of it: labels by which it is found, ports, and a selector or none. What others
    have added is left to them, but for a port in the place of one of ours.
    """
    known, made = found["metadata"].get("labels", {}), wanted["metadata"]["labels"]
    labelled = {k: v for k, v in made.items() if k.startswith(_OUR_LABELS) and known.get(k) != v}
    spec = {**_ports(found, wanted), **_selector(found, wanted)}
    if not labelled and not spec:
        return {}
    version = found["metadata"]["resourceVersion"]
    return {
        "metadata": {"resourceVersion": version, **({"labels": labelled} if labelled else {})},
        **({"spec": spec} if spec else {}),
    }


def _ports(found: identity.Body, wanted: identity.Body) -> dict[str, Any]:
    ours, listed = wanted["spec"]["ports"], found["spec"].get("ports", [])
    if all(any(port.items() <= other.items() for other in listed) for port in ours):
        return {}
    names, places = {p["name"] for p in ours}, {_place(p) for p in ours}
    theirs = [p for p in listed if p.get("name") not in names and _place(p) not in places]
    known = {_place(p): p for p in listed}
    return {"ports": [*({**known.get(_place(p), {}), **p} for p in ours), *theirs]}


def _place(port: dict[str, Any]) -> tuple[int, str]:
    return port["port"], port.get("protocol", "TCP")


def _selector(found: identity.Body, wanted: identity.Body) -> dict[str, Any]:
    ours, known = wanted["spec"].get("selector"), found["spec"].get("selector") or {}
    if ours is None or ours == known:
        return {}
    return {"selector": {**dict.fromkeys(known), **ours}}  # a merge patch takes away what is null


def marked(lent: identity.Body, model: str) -> identity.Body:
    """The patch of a Service that its owner lends: our label, and where it has led; if nobody was faster.

    `lent` is the Service as it was read. Nothing of its owner's is changed. A label that was taken away later
    is put back without a second note.
    """
    noted = labels.ADOPTED_SELECTOR in lent["metadata"].get("annotations", {})
    note = {} if noted else {labels.ADOPTED_SELECTOR: json.dumps(lent["spec"].get("selector", {}))}
    return {
        "metadata": {
            "resourceVersion": lent["metadata"]["resourceVersion"],
            "labels": {labels.MODEL: model},
            **({"annotations": note} if note else {}),
        }
    }


def switch(
    model: api.InferenceModel,
    *,
    origin: str | None,
    to: str,
    at: datetime.datetime,
    resource_version: str,
    back: bool = False,
) -> identity.Body:
    """The one patch that moves the traffic: the whole selector and the note of it, if nobody was faster."""
    note = {"from": origin, "to": to, "at": identity.timestamp(at), **({"back": True} if back else {})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": model.name,
            "namespace": model.namespace,
            "resourceVersion": resource_version,
            "annotations": {labels.SWITCH: json.dumps(note)},
        },
        "spec": {"selector": identity.selector(model.name, to)},
    }


def widened(
    model: api.InferenceModel, *, origin: str, at: datetime.datetime, resource_version: str
) -> identity.Body:
    """The patch that lets the stable Service select every pod of the model, and the note of it."""
    note = {"from": origin, "to": observed.EVERY_POD, "at": identity.timestamp(at)}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": model.name,
            "namespace": model.namespace,
            "resourceVersion": resource_version,
            "annotations": {labels.SWITCH: json.dumps(note)},
        },
        "spec": {"selector": identity.wide_selector(model.name)},
    }


def pointed_preview(model: api.InferenceModel, *, to: str, resource_version: str) -> identity.Body:
    """The patch that lets the preview follow, if nobody was faster."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": identity.preview_name(model.name),
            "namespace": model.namespace,
            "resourceVersion": resource_version,
        },
        "spec": {"selector": identity.selector(model.name, to)},
    }
