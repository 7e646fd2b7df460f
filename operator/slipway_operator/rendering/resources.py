"""What a pod asks of its node, and how much of its disk the bundle may take.

Where the user says nothing of a resource there is a small request, so that the scheduler and the kubelet's
evictions do not treat the pod as one that needs nothing. A limit of memory or of processors is never made up:
it would kill a model that its owner has not measured. The disk has one, since whoever fills a node's disk
evicts its neighbours: what the bundle's volume may hold, and some more for logs and temporary files.
"""

from __future__ import annotations

from slipway_operator.api import model as api
from slipway_operator.domain import quantity
from slipway_operator.rendering import identity

DEFAULT_REQUESTS = {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "1Gi"}
_DISK = "ephemeral-storage"
_DEFAULT_DISK_BYTES = 24 * 1024**3
TMP_BYTES = 1024**3
_LOGS_BYTES = 1024**3  # the kubelet keeps 50 MiB of them unless it is told otherwise
_KEPT_SHARE = 0.8  # of the disk, for the cache; the rest is for what is being fetched


def of(model: api.InferenceModel) -> identity.Body:
    """The container's `resources`. What the user limits needs no request: Kubernetes takes the limit."""
    asked = model.spec.resources
    found = asked.model_dump(mode="json", exclude_none=True) if asked else {}
    requests, limits = found.get("requests", {}), found.get("limits", {})
    missing = {name: amount for name, amount in DEFAULT_REQUESTS.items() if name not in {*requests, *limits}}
    return {**found, "requests": {**missing, **requests}, "limits": {**_disk_limit(model), **limits}}


def _disk_limit(model: api.InferenceModel) -> dict[str, str]:
    return {_DISK: str(disk_bytes(model) + TMP_BYTES + _LOGS_BYTES)}


def disk_bytes(model: api.InferenceModel) -> int:
    """The most that the bundle's volume may hold: what the user sets aside, or room for a large model."""
    asked = model.spec.resources
    for amounts in (asked.limits, asked.requests) if asked else ():
        if amounts and _DISK in amounts:
            return max(int(float(quantity.canonical(amounts[_DISK]))), 1)
    return _DEFAULT_DISK_BYTES


def cache_bytes(model: api.InferenceModel) -> int:
    """How much of it stays for a container's next start."""
    return int(disk_bytes(model) * _KEPT_SHARE)
