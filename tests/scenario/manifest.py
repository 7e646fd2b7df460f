"""The InferenceModel that the tests apply: small pods and a quick pace. Pure.

Must not know what a version's bundle holds.
"""

import copy
from collections.abc import Mapping
from typing import Any

from tests.cluster import bundles
from tests.cluster.s3 import BUCKET
from tests.cluster.stack import CREDENTIALS

JsonObject = dict[str, Any]
NAME = bundles.MODEL

_SPEC: JsonObject = {
    "replicas": 2,
    "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
    "rollout": {
        "minReadySeconds": 1,
        "bakeSeconds": 2,
        "keepWarmSeconds": 2,
        "historyLimit": 1,
        "drain": {"timeoutSeconds": 45},
    },
}


def model(version: str, *, namespace: str, changes: Mapping[str, Any]) -> JsonObject:
    """The manifest; `changes` are laid over the spec, level by level."""
    source = {"uri": uri(version), "credentialsSecretName": CREDENTIALS}
    spec = overlay({**_SPEC, "version": version, "source": source}, changes)
    return {
        "apiVersion": "slipway.dev/v1alpha1",
        "kind": "InferenceModel",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": spec,
    }


def uri(folder: str) -> str:
    """Where a folder of the example model lies."""
    return f"s3://{BUCKET}/{NAME}/{folder}"


def overlay(base: Mapping[str, Any], changes: Mapping[str, Any]) -> JsonObject:
    """The base with the changes in it; mappings are merged, everything else is replaced."""
    merged = copy.deepcopy(dict(base))
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = overlay(merged[key], value) if both else copy.deepcopy(value)
    return merged
