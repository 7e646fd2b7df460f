"""What speaks against a version whose pods had been ready: containers that end, readiness that is lost.

Pure. Only a pod's own fault counts: one that was evicted, preempted or deleted, or whose node is lost, is no
evidence.
"""

from __future__ import annotations

import datetime
from typing import Any

from slipway_operator.domain.observed import Fault, Symptom
from slipway_operator.rendering import attempt

Body = dict[str, Any]

# How the kubelet speaks of containers that ended while it was not looking: with their node.
_LOST = {"ContainerStatusUnknown", "Unknown", "NodeShutdown"}
_A_SECOND = datetime.timedelta(seconds=1)


def of_pods(pods: list[Body]) -> tuple[Symptom, ...]:
    """Of each container the last end with an error, and of each pod the loss of its readiness."""
    found: list[Symptom] = []
    for pod in pods:
        if not _was_taken_away(pod):
            found += [*_crashes(pod), *_losses(pod)]
    return tuple(found)


def _was_taken_away(pod: Body) -> bool:
    return (
        "deletionTimestamp" in pod["metadata"] or _condition(pod, "DisruptionTarget").get("status") == "True"
    )


def _crashes(pod: Body) -> list[Symptom]:
    states = [
        container.get(when, {}).get("terminated")
        for container in pod.get("status", {}).get("containerStatuses", [])
        for when in ("state", "lastState")
    ]
    return [symptom for ended in states if ended and (symptom := _of_end(ended, pod)) is not None]


def _of_end(ended: Body, pod: Body) -> Symptom | None:
    reason, code = ended.get("reason", "Error"), ended.get("exitCode", 0)
    finished = attempt.read_timestamp(ended.get("finishedAt") or "")
    if reason in _LOST or finished is None or (code == 0 and reason != "OOMKilled"):
        return None
    # The API's times are whole seconds, rounded down: what ended after the switch must not seem to be older.
    text = f"Pod {pod['metadata']['name']} ended with exit code {code} ({reason})"
    return Symptom(Fault.CRASHED, finished + _A_SECOND, text)


def _losses(pod: Body) -> list[Symptom]:
    """A node that is lost makes its pods unready and leaves their containers as they were last seen."""
    ready, containers = _condition(pod, "Ready"), _condition(pod, "ContainersReady")
    fell = attempt.read_timestamp(ready.get("lastTransitionTime") or "")
    if ready.get("status") != "False" or containers.get("status") != "False" or fell is None:
        return []
    if not any(_was_up(c, fell) for c in pod["status"].get("containerStatuses", [])):
        return []
    return [Symptom(Fault.UNREADY, fell + _A_SECOND, f"Pod {pod['metadata']['name']} ceased to be ready")]


def _was_up(container: Body, fell: datetime.datetime) -> bool:
    """It ran before that moment: a pod that has not been ready yet has lost nothing."""
    if container.get("restartCount", 0) > 0:
        return True
    started = attempt.read_timestamp(container.get("state", {}).get("running", {}).get("startedAt") or "")
    return started is not None and started < fell


def _condition(pod: Body, kind: str) -> Body:
    listed = pod.get("status", {}).get("conditions", [])
    return next((condition for condition in listed if condition["type"] == kind), {})
