"""What speaks against a version whose pods had been ready: containers that end, readiness that is lost.

Pure. Only a pod's own fault counts: one that was evicted, preempted or deleted, or whose node is lost, is no
evidence. Nor is what becomes of containers that somebody else has put into it.
"""

from __future__ import annotations

import datetime
from typing import Any

from slipway_operator.domain.observed import Fault, Symptom
from slipway_operator.kube import containers
from slipway_operator.rendering import attempt, deployment

Body = dict[str, Any]

# How the kubelet speaks of containers that ended while it was not looking: with their node.
_LOST = {"ContainerStatusUnknown", "Unknown", "NodeShutdown"}
_A_SECOND = datetime.timedelta(seconds=1)


def of_pods(pods: list[Body]) -> tuple[Symptom, ...]:
    """Of each pod the last end of its container with an error, and the loss of its readiness."""
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
    own = containers.ours(pod, deployment.CONTAINER)
    states = [own.get(when, {}).get("terminated") for when in ("state", "lastState")]
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
    ready, in_all = _condition(pod, "Ready"), _condition(pod, "ContainersReady")
    fell = attempt.read_timestamp(ready.get("lastTransitionTime") or "")
    if ready.get("status") != "False" or in_all.get("status") != "False" or fell is None:
        return []
    own = containers.ours(pod, deployment.CONTAINER)
    if own.get("ready") or not _was_up(own, fell) or _fell_with_others(pod, fell):
        return []
    return [Symptom(Fault.UNREADY, fell + _A_SECOND, f"Pod {pod['metadata']['name']} ceased to be ready")]


def _fell_with_others(pod: Body, fell: datetime.datetime) -> bool:
    """A mesh's sidecar passes probes on: while it is down, and a moment longer, ours is not ready either."""
    return any(
        not other.get("ready") or _started(other, fell)
        for other in containers.others(pod, deployment.CONTAINER)
    )


def _started(container: Body, since: datetime.datetime) -> bool:
    """Since then it has been started again."""
    started = attempt.read_timestamp(container.get("state", {}).get("running", {}).get("startedAt") or "")
    return container.get("restartCount", 0) > 0 and started is not None and started >= since


def _was_up(container: Body, fell: datetime.datetime) -> bool:
    """It ran before that moment: a pod that has not been ready yet has lost nothing."""
    if container.get("restartCount", 0) > 0:
        return True
    started = attempt.read_timestamp(container.get("state", {}).get("running", {}).get("startedAt") or "")
    return started is not None and started < fell


def _condition(pod: Body, kind: str) -> Body:
    listed = pod.get("status", {}).get("conditions", [])
    return next((condition for condition in listed if condition["type"] == kind), {})
