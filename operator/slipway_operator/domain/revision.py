"""A revision: the hash of everything in the user's spec that shapes a pod.

It must not know what we render from it: were the hash taken over our own template, an operator
upgrade would restart every model. Fields without influence on a pod (replicas, the pace of a rollout)
are left out, and so is whatever is unset: a field added by a later version changes no hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from slipway_operator.domain import quantity

LENGTH = 10

# Paths into `spec`. A new pod-shaping field is added here and to the golden corpus of the tests.
POD_SHAPING: tuple[tuple[str, ...], ...] = (
    ("version",),
    ("source",),
    ("resources",),
    ("runtime",),
    ("rollout", "drain"),
    ("rollout", "verification"),
    ("restartToken",),
    ("nodeSelector",),
    ("tolerations",),
    ("affinity",),
    ("topologySpreadConstraints",),
    ("priorityClassName",),
    ("imagePullSecrets",),
    ("serviceAccountName",),
)


def revision_of(spec: Mapping[str, object]) -> str:
    """The revision of a `spec` as the API server returns it: 10 hexadecimal digits."""
    shape = {".".join(path): value for path in POD_SHAPING if (value := _pruned(_at(spec, path))) is not None}
    if "resources" in shape:
        shape["resources"] = _amounts(shape["resources"])
    canonical = json.dumps(shape, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:LENGTH]


def child_name(model: str, revision: str) -> str:
    """The name of a revision's Deployment and Service: at most 40 + 1 + 10 characters."""
    return f"{model}-{revision}"


def _at(spec: Mapping[str, object], path: tuple[str, ...]) -> object:
    value: object = spec
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _amounts(resources: object) -> object:
    if not isinstance(resources, Mapping):
        return resources
    return {
        kind: {name: quantity.canonical(amount) for name, amount in amounts.items()}
        for kind, amounts in resources.items()
        if isinstance(amounts, Mapping)
    }


def _pruned(value: object) -> object:
    """Without what says nothing: nulls, and maps and lists left empty by their absence."""
    if isinstance(value, Mapping):
        kept = {key: pruned for key, item in value.items() if (pruned := _pruned(item)) is not None}
        return kept or None
    if isinstance(value, (list, tuple)):
        return [_pruned(item) for item in value] or None
    return value
