"""What keeps a pod from being ready, read from its status: which reason, which object, how bad."""

import json
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain.observed import Problem, Severity
from slipway_operator.kube import problems
from tests.operator_shell import objects

REASON = reasons.ConditionReason
A = "aaaaaaaaaa"


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"ready": False, "image": "registry.test/runtime:1", "state": state}


def ended(*, code: int = 1, message: str = "", restarts: int = 0, reason: str = "Error") -> dict[str, Any]:
    last = {"terminated": {"exitCode": code, "message": message, "reason": reason}}
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    return {"ready": False, "restartCount": restarts, "state": state, "lastState": last}


def said(reason: str) -> str:
    return json.dumps({"reason": reason, "message": "model.onnx differs", "object": "s3://models/x"})


def find(container: dict[str, Any]) -> Problem | None:
    pod = objects.pod("x", A, ready=False, container=container)
    found = problems.of_revision(objects.deployment(A), [pod])
    return found[0] if found else None


CASES: dict[str, tuple[dict[str, Any], reasons.ConditionReason, Severity]] = {
    "an image that cannot be pulled": (
        waiting("ImagePullBackOff", "not found"),
        REASON.IMAGE_PULL_FAILED,
        Severity.BLOCKING,
    ),
    "a Secret that does not exist": (
        waiting("CreateContainerConfigError", 'secret "s3-models" not found'),
        REASON.SECRET_NOT_FOUND,
        Severity.BLOCKING,
    ),
    "a key that the Secret lacks": (
        waiting(
            "CreateContainerConfigError", "couldn't find key AWS_ACCESS_KEY_ID in Secret default/s3-models"
        ),
        REASON.SECRET_NOT_FOUND,
        Severity.BLOCKING,
    ),
    "a runtime that says its digest is wrong": (
        ended(message=said("DigestMismatch")),
        REASON.DIGEST_MISMATCH,
        Severity.REJECTING,
    ),
    "a runtime that says an answer is wrong": (
        ended(message=said("GoldenMismatch")),
        REASON.GOLDEN_MISMATCH,
        Severity.REJECTING,
    ),
    "a runtime that finds no bucket": (
        ended(message=said("SourceNotFound")),
        REASON.SOURCE_NOT_FOUND,
        Severity.BLOCKING,
    ),
    "a first crash without a word": (ended(code=139), REASON.CRASH_LOOP, Severity.PASSING),
    "a third crash without a word": (ended(code=139, restarts=3), REASON.CRASH_LOOP, Severity.REJECTING),
    "words that are no reason of ours": (
        ended(message=said("Nonsense"), restarts=3),
        REASON.CRASH_LOOP,
        Severity.REJECTING,
    ),
}


@pytest.mark.parametrize(("container", "reason", "severity"), CASES.values(), ids=CASES.keys())
def test_each_failure_has_its_reason(
    container: dict[str, Any], reason: reasons.ConditionReason, severity: Severity
) -> None:
    found = find(container)
    assert found is not None
    assert (found.reason, found.severity, found.object) == (reason, severity, "Pod pod-x")


def test_the_image_is_named() -> None:
    found = find(waiting("ErrImagePull", "no such host"))
    assert found is not None
    assert found.message == "image registry.test/runtime:1: no such host"


def test_a_container_that_ended_in_peace_is_no_problem() -> None:
    assert find(ended(code=0, reason="Completed")) is None


def test_a_container_that_is_ready_again_is_no_problem() -> None:
    assert find(ended(restarts=5) | {"ready": True}) is None


# -- containers that somebody has put into the pod --


def injected(status: dict[str, Any], name: str = "istio-proxy") -> dict[str, Any]:
    return {"image": "registry.test/proxy:1", "restartCount": 0} | status | {"name": name}


LOADS = {"ready": False, "restartCount": 0, "state": {"running": {}}}
SERVES = LOADS | {"ready": True}
INITIALIZING = {"ready": False, "restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}}
DONE = {"ready": True, "restartCount": 0, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
NOT_READY = REASON.SIDECAR_NOT_READY

BESIDE: dict[str, tuple[dict[str, Any], dict[str, Any], reasons.ConditionReason, Severity, str]] = {
    "its image cannot be pulled": (
        LOADS,
        waiting("ImagePullBackOff", "not found"),
        REASON.IMAGE_PULL_FAILED,
        Severity.BLOCKING,
        "container istio-proxy (not Slipway's): image registry.test/runtime:1: not found",
    ),
    "its Secret does not exist": (
        LOADS,
        waiting("CreateContainerConfigError", 'secret "mesh" not found'),
        REASON.SECRET_NOT_FOUND,
        Severity.BLOCKING,
        'container istio-proxy (not Slipway\'s): secret "mesh" not found',
    ),
    "it ends again and again": (
        LOADS,
        ended(code=139, restarts=9),
        NOT_READY,
        Severity.BLOCKING,
        "container istio-proxy (not Slipway's) ended with exit code 139 (Error), 9 restarts",
    ),
    "it ends again and again, in peace": (
        LOADS,
        ended(code=0, restarts=9, reason="Completed"),
        NOT_READY,
        Severity.BLOCKING,
        "container istio-proxy (not Slipway's) ended with exit code 0 (Completed), 9 restarts",
    ),
    "it has crashed once": (
        SERVES,
        ended(restarts=1),
        NOT_READY,
        Severity.PASSING,
        "container istio-proxy (not Slipway's) ended with exit code 1 (Error), 1 restarts",
    ),
    "it speaks as the runtime does": (
        LOADS,
        ended(message=said("GoldenMismatch"), restarts=9),
        NOT_READY,
        Severity.BLOCKING,
        "container istio-proxy (not Slipway's) ended with exit code 1 (Error), 9 restarts",
    ),
    "it alone is not ready": (
        SERVES,
        LOADS,
        NOT_READY,
        Severity.PASSING,
        "container istio-proxy (not Slipway's) is not ready",
    ),
}


def told(
    container: dict[str, Any] | None, *, beside: Any = (), before: Any = ()
) -> tuple[reasons.ConditionReason, Severity, str] | None:
    pod = objects.pod("x", A, ready=False, container=container, beside=list(beside), before=list(before))
    found = problems.of_revision(objects.deployment(A), [pod])
    return (found[0].reason, found[0].severity, found[0].message) if found else None


@pytest.mark.parametrize(
    ("ours", "other", "reason", "severity", "message"), BESIDE.values(), ids=BESIDE.keys()
)
@pytest.mark.parametrize("where", ["beside", "before"], ids=["a sidecar", "an init container"])
def test_an_injected_container_is_named_and_never_rejects_a_version(
    ours: dict[str, Any],
    other: dict[str, Any],
    reason: reasons.ConditionReason,
    severity: Severity,
    message: str,
    where: str,
) -> None:
    assert told(ours, **{where: [injected(other)]}) == (reason, severity, message)


@pytest.mark.parametrize(
    ("ours", "beside", "before"),
    [
        pytest.param(LOADS, [SERVES], [], id="it is ready, and ours loads"),
        pytest.param(LOADS, [LOADS], [], id="both come up"),
        pytest.param(INITIALIZING, [], [LOADS], id="it prepares the pod"),
        pytest.param(LOADS, [], [DONE], id="it has prepared the pod"),
        pytest.param(SERVES, [ended(restarts=9) | {"ready": True}], [], id="it is ready again"),
        pytest.param(None, [], [], id="nothing is told of any"),
    ],
)
def test_an_injected_container_is_no_problem_when(
    ours: dict[str, Any] | None, beside: list[dict[str, Any]], before: list[dict[str, Any]]
) -> None:
    assert told(ours, beside=map(injected, beside), before=map(injected, before)) is None


def test_what_ours_says_comes_before_what_others_suffer() -> None:
    assert told(ended(message=said("GoldenMismatch")), beside=[injected(ended(restarts=9))]) == (
        REASON.GOLDEN_MISMATCH,
        Severity.REJECTING,
        "model.onnx differs",
    )


def test_an_injected_container_is_told_of_also_where_nothing_is_of_ours() -> None:
    found = told(None, before=[injected(ended(restarts=9), name="istio-init")])
    assert found is not None
    assert found[:2] == (NOT_READY, Severity.BLOCKING)


def test_a_pod_that_is_leaving_is_no_problem() -> None:
    pod = objects.pod("x", A, ready=False, terminating=True, container=ended(restarts=9))
    assert problems.of_revision(objects.deployment(A), [pod]) == ()


def test_a_pod_that_fits_nowhere_is_blocked_with_the_schedulers_words() -> None:
    pod = objects.pod("x", A, ready=False)
    words = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu."
    pod["status"]["conditions"].append(
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words}
    )
    (found,) = problems.of_revision(objects.deployment(A), [pod])
    assert (found.reason, found.message) == (REASON.UNSCHEDULABLE, words)


def test_a_pod_that_waits_behind_gates_is_blocked_and_the_gates_are_named() -> None:
    pod = objects.pod("x", A, ready=False)
    words = "Scheduling is blocked due to non-empty scheduling gates"
    pod["status"]["conditions"].append(
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": words}
    )
    pod["spec"] = {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}, {"name": "example.com/quota"}]}
    (found,) = problems.of_revision(objects.deployment(A), [pod])
    assert (found.reason, found.severity) == (REASON.SCHEDULING_GATED, Severity.BLOCKING)
    assert found.reason in reasons.BLOCKED_REASONS - reasons.NO_ROOM_REASONS
    assert found.message == (
        "no node is looked for until whoever has set its scheduling gates takes them away: "
        "kueue.x-k8s.io/admission, example.com/quota"
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('pods "x" is forbidden: exceeded quota: gpus', REASON.QUOTA_EXCEEDED),
        ('pods "x" is forbidden: violates PodSecurity', REASON.PODS_REFUSED),
        (
            'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi',
            REASON.LIMIT_RANGE_VIOLATED,
        ),
        (
            'pods "x" is forbidden: minimum cpu usage per Pod is 1.  No request is specified',
            REASON.LIMIT_RANGE_VIOLATED,
        ),
        (
            'pods "x" is forbidden: cpu max limit to request ratio per Pod is 2, but provided ratio is 4',
            REASON.LIMIT_RANGE_VIOLATED,
        ),
    ],
    ids=[
        "by a quota",
        "by an admission rule",
        "above a LimitRange's maximum",
        "below its minimum",
        "beyond its ratio",
    ],
)
def test_pods_that_the_api_server_refuses_are_told_from_the_deployment(
    words: str, reason: reasons.ConditionReason
) -> None:
    deployment = objects.deployment(A)
    deployment["status"] = {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": words}]}
    (found,) = problems.of_revision(deployment, [])
    assert (found.reason, found.message, found.object) == (reason, words, f"Deployment sentiment-{A}")


def test_a_full_disk_is_waited_for_and_no_fault_of_the_version() -> None:
    note = json.dumps(
        {"reason": "DiskFull", "message": "9 MiB are to be written", "object": "SLIPWAY_CACHE_DIR"}
    )
    ended = {"terminated": {"exitCode": 1, "message": note}}
    pod = objects.pod("x", A, ready=False, container={"ready": False, "state": ended, "restartCount": 9})
    (found,) = problems.of_revision(objects.deployment(A), [pod])
    assert (found.reason, found.severity) == (REASON.DISK_FULL, Severity.BLOCKING)


def aged(container: dict[str, Any], *, finished: str = "2026-01-02T03:00:00Z") -> dict[str, Any]:
    """Of a pod that is months older than the attempt: when its container ended last."""
    container["lastState"]["terminated"]["finishedAt"] = finished
    return container


@pytest.mark.parametrize(
    ("container", "severity"),
    [
        pytest.param(aged(ended(code=137, restarts=7, reason="OOMKilled")), None, id="of before the attempt"),
        pytest.param(aged(ended(message=said("GoldenMismatch"))), None, id="words of before the attempt"),
        pytest.param(aged(ended(restarts=7), finished=objects.NOW), Severity.PASSING, id="one of its ends"),
        pytest.param(
            aged(ended(message=said("GoldenMismatch")), finished=objects.NOW), Severity.REJECTING, id="words"
        ),
        pytest.param(ended(restarts=7), None, id="an end of which nobody knows when it was"),
    ],
)
def test_a_version_is_not_judged_by_ends_of_before_its_attempt(
    container: dict[str, Any], severity: Severity | None
) -> None:
    deployment = objects.deployment(
        A, annotations={"slipway.dev/attempt-started-at": "2026-01-02T03:04:05.400000Z"}
    )
    old = objects.pod("x", A, ready=False, container=container)
    old["metadata"]["creationTimestamp"] = "2025-10-01T00:00:00Z"
    found = problems.of_revision(deployment, [old])
    assert [problem.severity for problem in found] == ([severity] if severity is not None else [])


def test_a_pod_that_came_with_the_attempt_is_judged_by_all_of_its_restarts() -> None:
    deployment = objects.deployment(
        A, annotations={"slipway.dev/attempt-started-at": "2026-01-02T03:04:06.900000Z"}
    )
    young = objects.pod("x", A, ready=False, container=ended(restarts=3))
    young["metadata"]["creationTimestamp"] = objects.NOW
    (found,) = problems.of_revision(deployment, [young])
    assert found.severity is Severity.REJECTING


def test_the_last_words_of_a_container_that_ends_without_a_message_are_kept() -> None:
    log = "\n".join(f"line {n}" for n in range(500)) + "\nCUDA error: out of memory\n"
    ended = {"terminated": {"exitCode": 139, "reason": "Error", "message": log}}
    pod = objects.pod("x", A, ready=False, container={"ready": False, "state": ended, "restartCount": 1})
    (found,) = problems.of_revision(objects.deployment(A), [pod])
    assert found.message.endswith("CUDA error: out of memory")
    assert "; its last words: " in found.message
    assert len(found.message) <= 1024
