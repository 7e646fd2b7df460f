"""Names, labels and owners: what every child has in common.

Must not know what a child does.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.domain import revision

Body = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Owner:
    """The object whose deletion takes a child along."""

    api_version: str
    kind: str
    name: str
    uid: str


def owner_of(model: api.InferenceModel) -> Owner:
    """The model itself: it owns the Deployments and the stable Service."""
    return Owner(api.API_VERSION, api.KIND, model.name, model.metadata.uid)


def selector(model: str, revision_id: str) -> dict[str, str]:
    """What a Service selects: one revision of one model, nothing else."""
    return {labels.MODEL: model, labels.REVISION: revision_id}


def wide_selector(model: str) -> dict[str, str]:
    """What the stable Service selects while pods are replaced by turns: every pod of the model."""
    return {labels.MODEL: model}


def common_labels(model: str) -> dict[str, str]:
    """The labels of every child; the operator's watches ask the server for the last of them."""
    return {
        labels.MODEL: model,
        labels.NAME: labels.NAME_VALUE,
        labels.INSTANCE: model,
        labels.COMPONENT: labels.COMPONENT_VALUE,
        labels.MANAGED_BY: labels.MANAGED_BY_VALUE,
    }


def revision_labels(model: str, revision_id: str, version: str) -> dict[str, str]:
    """The labels of a revision's children and pods."""
    return {**common_labels(model), labels.REVISION: revision_id, labels.VERSION: version}


def also_labelled(child: Body, extra: Mapping[str, str]) -> Body:
    """The child with further labels, on its pods too; where both say something, its own hold."""
    metadata = {**child["metadata"], "labels": {**extra, **child["metadata"]["labels"]}}
    spec = child.get("spec", {})
    if "template" not in spec:
        return {**child, "metadata": metadata}
    return {
        **child,
        "metadata": metadata,
        "spec": {**spec, "template": also_labelled(spec["template"], extra)},
    }


def resolver_labels(model: str, revision_id: str, version: str) -> dict[str, str]:
    """The labels of a resolver pod: none by which pods of the model are selected, counted or kept apart."""
    return {
        labels.RESOLVES: model,
        labels.RESOLVES_REVISION: revision_id,
        labels.VERSION: version,
        labels.NAME: labels.NAME_VALUE,
        labels.INSTANCE: model,
        labels.COMPONENT: labels.RESOLVER_VALUE,
        labels.MANAGED_BY: labels.MANAGED_BY_VALUE,
    }


def metadata(*, name: str, namespace: str, labelled: dict[str, str], owner: Owner) -> Body:
    """The metadata of a child."""
    return {"name": name, "namespace": namespace, "labels": labelled, "ownerReferences": [reference(owner)]}


def reference(owner: Owner) -> Body:
    """The ownerReference by which the garbage collector knows the owner."""
    return {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def timestamp(moment: datetime.datetime) -> str:
    """RFC 3339 in UTC, to the microsecond: two attempts may begin within a second."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def resolver_name(model: str, revision_id: str, number: int) -> str:
    """The name of a revision's resolver pod; each try has its own."""
    return f"{child_name(model, revision_id)}-resolver-{number}"


def preview_name(model: str) -> str:
    """The name of a model's preview Service."""
    return f"{model}-preview"


def access_name(model: str) -> str:
    """The name of a model's NetworkPolicy."""
    return f"{model}-runtime"


child_name = revision.child_name
