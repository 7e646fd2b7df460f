"""The statuses of a pod's containers, by name: ours, and those that others have put beside it. Pure.

Kubernetes lists them in no order that anybody promises, and whoever injects a sidecar names it as he likes.
"""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]


def ours(pod: Body, name: str) -> Body:
    """The status of the container of that name; {} while the kubelet has not told any."""
    listed = _listed(pod, "containerStatuses")
    return next((status for status in listed if status.get("name") == name), {})


def others(pod: Body, name: str) -> list[Body]:
    """Those of all that run beside it or before it, sidecars among the init containers included."""
    listed = [*_listed(pod, "initContainerStatuses"), *_listed(pod, "containerStatuses")]
    return [status for status in listed if status.get("name") != name]


def _listed(pod: Body, field: str) -> list[Body]:
    return pod.get("status", {}).get(field) or []
