"""A rollout written by hand as the operator would, with Kubernetes' own controllers making pods and slices.

What a good rollout looks like to the checks when nothing of it is told by the tests themselves.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recorder import invariants, kinds, switches
from tests.recorder.history import History
from tests.recorder.metadata import Key
from tests.recorder.switches import READ_AGE
from tests.recorder.watch import Recorder
from tests.recorder_tests import rollout_by_hand
from tests.recorder_tests.control_plane import ControlPlane, control_plane_or_skip
from tests.recorder_tests.rollout_by_hand import ByHand

pytestmark = pytest.mark.cluster

A, B = "a" * 10, "b" * 10


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    plane = control_plane_or_skip(tmp_path_factory.mktemp("control-plane"))
    try:
        plane.start()
        rollout_by_hand.install_crd(plane.kubectl)
        rollout_by_hand.make_node(plane.kubectl)
        plane.start_controllers()
        yield plane
    finally:
        plane.stop()


def _record(plane: ControlPlane, file: Path, namespace: str, *, careless: bool) -> History:
    plane.kubectl.run("create", "namespace", namespace)
    hand = ByHand(plane.kubectl, namespace)
    with Recorder(plane.kubeconfig, file, namespaces=[namespace]):
        hand.ask("1")
        hand.deploy(A, "1")
        hand.create_stable(A)
        hand.make_ready(A, 2)
        hand.wait_for_traffic(2)
        hand.ask("2")
        hand.deploy(B, "2")
        hand.make_ready(B, 1 if careless else 2)
        time.sleep(READ_AGE.total_seconds())  # a reading of before the first version would be no excuse
        hand.switch(A, B)
        if not careless:
            hand.wait_for_pods_of(B)
        hand.report(B, "2")
        hand.scale(A, 0)
        hand.wait_for_pods(A, 0)
    return History.load(file)


def test_a_good_rollout_breaks_no_promise(plane: ControlPlane, tmp_path: Path) -> None:
    history = _record(plane, tmp_path / "history.jsonl", "good", careless=False)
    circumstances = invariants.Circumstances(at_rest=True)

    assert [str(v) for v in invariants.check(history, circumstances=circumstances)] == []
    (switch,) = switches.of(history)
    assert (switch.origin_ready, switch.target_ready, switch.latched) == (2, 2, 2)
    assert switch.by == {"slipway-traffic"}
    assert switch.confirmed_at is not None
    seen = {change.key.kind for change in history.changes}
    assert seen >= {kind.name for kind in kinds.ALL if kind is not kinds.BUDGET}


def test_a_careless_rollout_is_seen_as_one(plane: ControlPlane, tmp_path: Path) -> None:
    history = _record(plane, tmp_path / "history.jsonl", "careless", careless=True)
    found: dict[str, Any] = {v.invariant: v for v in invariants.check(history)}

    assert set(found) == {"I1", "I3"}
    assert "2 ready pods were needed and its Service had 1" in found["I3"].sentence
    assert found["I3"].subject == Key("Service", "careless", "sentiment")
