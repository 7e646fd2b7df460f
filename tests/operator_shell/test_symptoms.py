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


def _pod(container: dict[str, Any], *, ready: bool = True, containers: bool | None = None) -> dict[str, Any]:
    pod = objects.pod("x", A, ready=ready, container=container)
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


def test_a_pod_that_is_leaving_shows_nothing() -> None:
    pod = objects.pod("x", A, ready=False, terminating=True, container=_ended(code=143))
    assert symptoms.of_pods([pod]) == ()


def test_a_pod_that_was_disrupted_shows_nothing() -> None:
    pod = _pod(_ended(code=137))
    pod["status"]["conditions"].append({"type": "DisruptionTarget", "status": "True"})
    assert symptoms.of_pods([pod]) == ()
