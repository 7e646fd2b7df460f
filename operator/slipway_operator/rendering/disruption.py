"""A revision's PodDisruptionBudget: of its pods one at a time may be evicted, and a broken one always.

Its Deployment owns it. It selects what the revision's Service selects, and never a second revision: the pods
of one must not stand in for those of the other.
"""

from __future__ import annotations

from slipway_operator.api import model as api
from slipway_operator.rendering import identity


def of_revision(
    model: api.InferenceModel, *, revision: str, version: str, deployment_uid: str
) -> identity.Body:
    """The budget."""
    name = identity.child_name(model.name, revision)
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": identity.metadata(
            name=name,
            namespace=model.namespace,
            labelled=identity.revision_labels(model.name, revision, version),
            owner=identity.Owner("apps/v1", "Deployment", name, deployment_uid),
        ),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": identity.selector(model.name, revision)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",  # a pod that never gets ready must not hold a drain
        },
    }
