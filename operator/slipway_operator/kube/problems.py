"""Why pods are not ready, read from what Kubernetes and the runtime say of them. Pure.

Of a container's ends only those count that came after the present attempt began: a version that is asked for
again has pods whose restarts are those of months.

The runtime says why it ends in its termination message, one JSON object: `{"reason", "message", "object"}`.
A version is judged by our own container alone. Others that somebody has put into its pods (a mesh's sidecars)
may keep them from being ready, which is told, with their name.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from typing import Any

from slipway_operator.api import labels, reasons
from slipway_operator.domain.observed import Problem, Severity
from slipway_operator.kube import containers
from slipway_operator.rendering import attempt
from slipway_operator.rendering import deployment as pod_template

REASON = reasons.ConditionReason
Body = dict[str, Any]

_NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)

# A container that ends without a word may have been unlucky; the third time it is the version.
CRASHES_THAT_REJECT = 3

# By how much the API server's clock, which dates a pod, may differ from ours, which dates an attempt.
_CLOCKS_DIFFER = datetime.timedelta(seconds=5)
_A_SECOND = datetime.timedelta(seconds=1)

# Of the end of its log, which Kubernetes keeps for a container that ends without a message: characters.
LAST_WORDS = 900

_PULLING = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
# A LimitRange does not give its name: "maximum memory usage per Container is 1Gi, but limit is 4Gi".
_LIMIT_RANGE = re.compile(r"\b(minimum|maximum) \S+ usage per |\bmax limit to request ratio per ")
_GATED = "no node is looked for until whoever has set its scheduling gates takes them away"
_CONFIGURING = {"CreateContainerConfigError", "CreateContainerError"}


def of_revision(deployment: Body, pods: list[Body]) -> tuple[Problem, ...]:
    """The findings, one a pod at most, beginning with what kept pods from existing at all."""
    standing = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    begun = attempt.begun(deployment)
    ours = pod_template.CONTAINER
    found = [_without_pods(deployment), *(of_pod(pod, begun, ours=ours) for pod in standing)]
    served = _has_served_what_was_frozen(deployment)
    return tuple(_as_drift(p) if served and p.reason is REASON.DIGEST_MISMATCH else p for p in found if p)


def _has_served_what_was_frozen(deployment: Body) -> bool:
    noted = deployment["metadata"].get("annotations", {})
    return labels.RESOLVED_SOURCE in noted and labels.PROMOTED_AT in noted


def _as_drift(problem: Problem) -> Problem:
    """Its pods had these bytes once: it is the source that is another, and not the version that is bad."""
    message = f"its source has changed since this version was made, and is not loaded: {problem.message}"
    return dataclasses.replace(problem, reason=REASON.SOURCE_DRIFTED, message=message)


def _without_pods(deployment: Body) -> Problem | None:
    """ReplicaFailure: the API server refused the pods (quota, admission); there is none to look at."""
    for condition in deployment.get("status", {}).get("conditions", []):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            message = condition.get("message", "")
            reason = refusal(message)
            name = f"Deployment {deployment['metadata']['name']}"
            return Problem(reason=reason, message=message, object=name, severity=Severity.BLOCKING)
    return None


def refusal(message: str) -> reasons.ConditionReason:
    """By the admission plugin whose words these are: they carry no code."""
    if "exceeded quota" in message:
        return REASON.QUOTA_EXCEEDED
    return REASON.LIMIT_RANGE_VIOLATED if _LIMIT_RANGE.search(message) else REASON.PODS_REFUSED


def of_pod(pod: Body, begun: datetime.datetime = _NEVER, *, ours: str, others: bool = True) -> Problem | None:
    """What is wrong with one pod, or None; `begun` is when the attempt began that it is judged by.

    `ours` is the name of our container. What it says comes first; what is wrong with `others` is told where
    they matter.
    """
    name = f"Pod {pod['metadata']['name']}"
    since = begun if _is_older(pod, begun) else None
    own = containers.ours(pod, ours)
    found = None if own.get("ready") else _of_container(own, name, since=since)
    if found is None and others:
        known = (_of_other(each, own, name, since=since) for each in containers.others(pod, ours))
        found = max((p for p in known if p is not None), key=lambda p: p.severity, default=None)
    if found is not None:
        return found
    conditions = pod.get("status", {}).get("conditions", [])
    scheduled: Body = next((c for c in conditions if c["type"] == "PodScheduled"), {})
    return _unscheduled(scheduled, pod, name)


def _unscheduled(scheduled: Body, pod: Body, name: str) -> Problem | None:
    match scheduled.get("reason"):
        case "Unschedulable":
            return _blocking(REASON.UNSCHEDULABLE, scheduled.get("message", ""), name)
        case "SchedulingGated":
            gates = ", ".join(gate["name"] for gate in pod.get("spec", {}).get("schedulingGates", []))
            return _blocking(REASON.SCHEDULING_GATED, f"{_GATED}: {gates}", name)
        case _:
            return None


def _is_older(pod: Body, begun: datetime.datetime) -> bool:
    """It was there before the attempt; two clocks tell the two moments."""
    created = attempt.read_timestamp(pod["metadata"].get("creationTimestamp", ""))
    return created is not None and created + _CLOCKS_DIFFER < begun


def _of_container(container: Body, name: str, *, since: datetime.datetime | None) -> Problem | None:
    """`since` is the beginning of an attempt that the pod is older than; then its restarts tell nothing."""
    if (waits := _waiting(container, name)) is not None:
        return waits
    ended = _end(container, since)
    return _of_end(ended, container.get("restartCount", 0), name, counted=since is None) if ended else None


def _of_other(container: Body, own: Body, name: str, *, since: datetime.datetime | None) -> Problem | None:
    """Of somebody else's: it tells nothing of the version, whatever it says and however often it ends."""
    if container.get("ready"):
        return None
    who = f"container {container.get('name')} (not Slipway's)"
    if (waits := _waiting(container, name)) is not None:
        return dataclasses.replace(waits, message=f"{who}: {waits.message}")
    ended, restarts = _end(container, since), container.get("restartCount", 0)
    again = container.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"
    if ended and (ended.get("exitCode") != 0 or again):
        lasting = since is None and restarts >= CRASHES_THAT_REJECT
        severity = Severity.BLOCKING if lasting else Severity.PASSING
        return Problem(REASON.SIDECAR_NOT_READY, f"{who} {_how(ended, restarts)}", name, severity)
    if own.get("ready") and "running" in container.get("state", {}):
        return Problem(REASON.SIDECAR_NOT_READY, f"{who} is not ready", name, Severity.PASSING)
    return None


def _waiting(container: Body, name: str) -> Problem | None:
    """What keeps it from being started at all."""
    waiting = container.get("state", {}).get("waiting", {})
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _PULLING:
        text = f"image {container.get('image', '')}: {message or reason}"
        return _blocking(REASON.IMAGE_PULL_FAILED, text, name)
    if reason in _CONFIGURING:
        missing = "secret" in message.lower()
        known = REASON.SECRET_NOT_FOUND if missing else REASON.PODS_REFUSED
        return _blocking(known, message or reason, name)
    return None


def _end(container: Body, since: datetime.datetime | None) -> Body | None:
    """Its last one, if that counts."""
    ended: Body = container.get("state", {}).get("terminated") or container.get("lastState", {}).get(
        "terminated"
    )
    return ended if ended and (since is None or _ended_after(ended, since)) else None


def _ended_after(ended: Body, since: datetime.datetime) -> bool:
    """The API's times are whole seconds, rounded down."""
    finished = attempt.read_timestamp(ended.get("finishedAt") or "")
    return finished is not None and finished + _A_SECOND > since


def _of_end(ended: Body, restarts: int, name: str, *, counted: bool) -> Problem | None:
    """`counted` where all of its restarts are of the present attempt."""
    said = _said(ended.get("message", ""))
    if said is not None:
        reason, message = said
        rejected = reason in reasons.REJECTED_REASONS
        severity = Severity.REJECTING if rejected else Severity.BLOCKING
        return Problem(reason=reason, message=message, object=name, severity=severity)
    if ended.get("exitCode") == 0:
        return None
    text = _how(ended, restarts)
    if last := ended.get("message", "").strip():
        text += f"; its last words: {last[-LAST_WORDS:]}"
    again_and_again = counted and restarts >= CRASHES_THAT_REJECT
    severity = Severity.REJECTING if again_and_again else Severity.PASSING
    return Problem(reason=REASON.CRASH_LOOP, message=text, object=name, severity=severity)


def _how(ended: Body, restarts: int) -> str:
    return (
        f"ended with exit code {ended.get('exitCode')} ({ended.get('reason', 'Error')}), {restarts} restarts"
    )


def _said(text: str) -> tuple[reasons.ConditionReason, str] | None:
    """The runtime's own words, or None when the process ended without any."""
    try:
        note = json.loads(text)
        reason = REASON(reasons.RuntimeFailure(note["reason"]))
        return reason, f"{note['message']}"
    except (ValueError, KeyError, TypeError):
        return None


def _blocking(reason: reasons.ConditionReason, message: str, name: str) -> Problem:
    return Problem(reason=reason, message=message, object=name, severity=Severity.BLOCKING)
