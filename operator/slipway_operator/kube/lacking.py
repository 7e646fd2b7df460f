"""Since when a revision has lacked ready pods, as far as its pods and its Deployment tell. Pure.

Every moment is one that the API server holds already: of a pod, when it was made, fell, or became ready (its
EndpointSlice may not show it yet); of a pod that does not exist, when it was refused. A pod that neither
exists nor was refused is just about to be made: of that there is no moment.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import Any

from slipway_operator.rendering import attempt

Body = dict[str, Any]

_LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def short_since(deployment: Body, pods: list[Body], *, counted: Collection[str]) -> datetime.datetime | None:
    """The last of these moments; `counted` are the uids of the pods that count as ready."""
    standing = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    moments = [_changed(pod) for pod in standing if pod["metadata"]["uid"] not in counted]
    if len(standing) < deployment["spec"].get("replicas", 1):
        moments += _refused(deployment)
    return max(moments, default=None)


def _changed(pod: Body) -> datetime.datetime:
    """When the pod's readiness changed last, or it was made."""
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and (at := condition.get("lastTransitionTime")):
            return attempt.read_timestamp(at) or _LONG_AGO
    return attempt.read_timestamp(pod["metadata"].get("creationTimestamp", "")) or _LONG_AGO


def _refused(deployment: Body) -> list[datetime.datetime]:
    """ReplicaFailure: it goes as soon as a pod could be made, so that it is of the present want."""
    return [
        attempt.read_timestamp(condition.get("lastTransitionTime", "")) or _LONG_AGO
        for condition in deployment.get("status", {}).get("conditions", [])
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
    ]
