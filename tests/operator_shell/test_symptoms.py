"""What speaks against pods that had been well, and what is not their own fault."""

import datetime
from typing import Any

import pytest

from slipway_operator.domain.observed import Fault, Symptom
from slipway_operator.kube import symptoms
from tests.operator_shell import objects

A = "aaaaaaaaaa"
AT = datetime.datetime(2026, 1, 2, 3, 4, 6, tzinfo=datetime.UTC)  # the end of the second in objects.NOW
EARLIER = "2026-01-02T03:00:00Z"


def _pod(
    container: dict[str, Any] | None,
    *others: dict[str, Any],
    ready: bool = True,
    containers: bool | None = None,
) -> dict[str, Any]:
    pod = objects.pod("x", A, ready=ready, container=container, beside=list(others))
    says = "True" if (ready if containers is None else containers) else "False"
    pod["status"]["conditions"].append({"type": "ContainersReady", "status": says})
    return pod


def _ended(*, code: int = 139, reason: str = "Error", when: str = "lastState") -> dict[str, Any]:
    terminated = {"exitCode": code, "reason": reason, "finishedAt": objects.NOW}
    return {
        "restartCount": 1,
        "state": {"running": {"startedAt": objects.NOW}},
        when: {"terminated": terminated},
    }


UP = {"restartCount": 0, "state": {"running": {"startedAt": EARLIER}}}
NEVER_UP = {"restartCount": 0, "state": {"running": {"startedAt": "2026-01-02T03:04:09Z"}}}


@pytest.mark.parametrize(
    ("pod", "found"),
    [
        pytest.param(
            _pod(_ended()),
            [Symptom(Fault.CRASHED, AT, "Pod pod-x ended with exit code 139 (Error)")],
            id="its container ended with an error and runs again",
        ),
        pytest.param(
            _pod(_ended(when="state")),
            [Symptom(Fault.CRASHED, AT, "Pod pod-x ended with exit code 139 (Error)")],
            id="its container has just ended with an error",
        ),
        pytest.param(
            _pod(_ended(code=137, reason="OOMKilled")),
            [Symptom(Fault.CRASHED, AT, "Pod pod-x ended with exit code 137 (OOMKilled)")],
            id="its container took too much memory",
        ),
        pytest.param(_pod(_ended(code=0, reason="Completed")), [], id="its container ended in peace"),
        pytest.param(
            _pod(_ended(code=0, reason="Completed"), ready=False),
            [Symptom(Fault.UNREADY, AT, "Pod pod-x ceased to be ready")],
            id="its container ended in peace and is not ready again",
        ),
        pytest.param(
            _pod(UP, ready=False),
            [Symptom(Fault.UNREADY, AT, "Pod pod-x ceased to be ready")],
            id="it fails its probe",
        ),
        pytest.param(_pod(NEVER_UP, ready=False), [], id="it has not been ready yet"),
        pytest.param(_pod({"state": {"waiting": {}}}, ready=False), [], id="it does not run yet"),
        pytest.param(_pod(UP, ready=False, containers=True), [], id="its node is lost"),
        pytest.param(_pod(_ended(code=255, reason="Unknown")), [], id="its container ended with its node"),
        pytest.param({"metadata": {"name": "x"}}, [], id="nothing is known of it"),
    ],
)
def test_a_pod_shows(pod: dict[str, Any], found: list[Symptom]) -> None:
    assert list(symptoms.of_pods([pod])) == found


# -- containers that somebody has put into the pod --

READY, UNREADY = UP | {"ready": True}, UP | {"ready": False}
BROKEN = _ended() | {"name": "istio-proxy", "ready": False}
BACK = BROKEN | {"ready": True}
WELL = READY | {"name": "istio-proxy"}
LONG_BACK = WELL | {"restartCount": 4}
LOST = [Symptom(Fault.UNREADY, AT, "Pod pod-x ceased to be ready")]


@pytest.mark.parametrize(
    ("pod", "found"),
    [
        pytest.param(_pod(READY, BACK), [], id="it crashed, and all is well again"),
        pytest.param(_pod(READY, BROKEN, ready=False), [], id="it crashed, and ours is ready"),
        pytest.param(
            _pod(READY, WELL | {"ready": False}, ready=False), [], id="it fails its probe, and ours does not"
        ),
        pytest.param(_pod(UNREADY, BROKEN, ready=False), [], id="ours is asked through it, and it is down"),
        pytest.param(_pod(UNREADY, BACK, ready=False), [], id="it is just up again, and ours not yet ready"),
        pytest.param(_pod(UNREADY, WELL, ready=False), LOST, id="ours fails its probe, and it is well"),
        pytest.param(_pod(UNREADY, LONG_BACK, ready=False), LOST, id="it crashed long before ours fell"),
        pytest.param(_pod(None, BROKEN, ready=False), [], id="nothing is told of ours"),
        pytest.param(
            _pod(_ended(), WELL),
            [Symptom(Fault.CRASHED, AT, "Pod pod-x ended with exit code 139 (Error)")],
            id="ours crashed",
        ),
    ],
)
def test_beside_an_injected_container_a_pod_shows(pod: dict[str, Any], found: list[Symptom]) -> None:
    assert list(symptoms.of_pods([pod])) == found


def test_a_sidecar_among_the_init_containers_is_one_too() -> None:
    pod = _pod(UNREADY, ready=False)
    pod["status"]["initContainerStatuses"] = [BROKEN]
    assert symptoms.of_pods([pod]) == ()
    pod["status"]["initContainerStatuses"] = [
        {"name": "istio-init", "ready": True, "state": {"terminated": {"exitCode": 0, "finishedAt": EARLIER}}}
    ]
    assert list(symptoms.of_pods([pod])) == LOST


def test_a_pod_that_is_leaving_shows_nothing() -> None:
    pod = objects.pod("x", A, ready=False, terminating=True, container=_ended(code=143))
    assert symptoms.of_pods([pod]) == ()


def test_a_pod_that_was_disrupted_shows_nothing() -> None:
    pod = _pod(_ended(code=137))
    pod["status"]["conditions"].append({"type": "DisruptionTarget", "status": "True"})
    assert symptoms.of_pods([pod]) == ()
