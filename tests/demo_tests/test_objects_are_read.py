"""From the API server's objects and the ledger's counts to what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo import reading
from tests.demo.snapshot import Moment, PodState
from tests.ledger.counts import Counts

READY = [{"type": "Ready", "status": "True"}]
RUNNING = {"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]}
CRASHED = {"phase": "Running", "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
MODEL = {
    "metadata": {"generation": 3},
    "spec": {"version": "2"},
    "status": {
        "observedGeneration": 3,
        "activeVersion": "1",
        "rollout": {"step": "WaitingForReadyPods", "message": "1 of 2 pods"},
        "conditions": [{"type": "Ready", "status": "False", "reason": "WaitingForReadyPods", "message": "…"}],
        "versions": [{"revision": "live", "state": "Live"}, {"revision": "old", "state": "Warm"}],
    },
}


def pod(
    status: dict[str, Any], *, revision: str = "live", name: str = "a", **metadata: str
) -> dict[str, Any]:
    labels = {"slipway.dev/version": "1", "slipway.dev/revision": revision}
    created = {"name": name, "creationTimestamp": "2025-01-01T00:00:00Z", "labels": labels}
    return {"metadata": created | metadata, "spec": {"nodeName": "node-1"}, "status": status}


@pytest.mark.parametrize(
    ("found", "state"),
    [
        pytest.param(pod({"phase": "Pending"}), PodState.WAITING, id="pending"),
        pytest.param(pod(RUNNING), PodState.LOADING, id="running and not ready"),
        pytest.param(pod(RUNNING | {"conditions": READY}), PodState.SERVING, id="ready and live"),
        pytest.param(
            pod(RUNNING | {"conditions": READY}, revision="old"), PodState.WARM, id="ready and warm"
        ),
        pytest.param(
            pod(RUNNING | {"conditions": READY}, revision="new"), PodState.READY, id="ready and new"
        ),
        pytest.param(pod(CRASHED), PodState.FAILED, id="crashed"),
        pytest.param(
            pod(RUNNING | {"conditions": READY}, deletionTimestamp="2025-01-01T00:01:00Z"),
            PodState.DRAINING,
            id="deleted, and answering still",
        ),
    ],
)
def test_a_pods_state(found: dict[str, Any], state: PodState) -> None:
    (read,) = reading.pods([found], MODEL)
    assert read.state is state


def test_older_pods_come_first() -> None:
    found = [pod(RUNNING, name="new", creationTimestamp="2025-01-02T00:00:00Z"), pod(RUNNING, name="old")]
    assert [read.name for read in reading.pods(found, None)] == ["old", "new"]


def test_a_model_in_mid_rollout() -> None:
    read = reading.model(MODEL)
    assert (read.version, read.active, read.step, read.message) == (
        "2",
        "1",
        "WaitingForReadyPods",
        "1 of 2 pods",
    )
    assert read.observed
    assert not read.ready


def test_a_model_that_the_operator_has_not_seen() -> None:
    read = reading.model({"metadata": {"generation": 1}, "spec": {"version": "1"}})
    assert not read.observed
    assert not read.ready


def test_a_moment_is_the_difference_of_two_counts() -> None:
    first = counts({"fast": {"1": 10}, "slow": {"1": 2}}, failed=0)
    second = counts({"fast": {"1": 15, "2": 3}, "slow": {"1": 2, "2": 1}}, failed=2)
    known = reading.traffic(None, None, first, 1.0)
    told = reading.traffic(known, first, second, 1.25)
    assert told.moments == (Moment({"1": 12}, 0, 1.0), Moment({"1": 5, "2": 4}, 2, 1.25))
    assert told.versions() == ["1", "2"]
    assert told.shares(1) == {"1": 5 / 9, "2": 4 / 9}
    assert told.rate == pytest.approx(23 / 2.25)


def counts(served: dict[str, dict[str, int]], *, failed: int) -> Counts:
    total = failed + sum(sum(versions.values()) for versions in served.values())
    return Counts(
        requests=total,
        failed=failed,
        in_flight=0,
        versions={},
        failing=0,
        served=served,
        reasons={},
        states={},
    )
