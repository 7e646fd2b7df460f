"""There are as many GPUs as the model has pods, and no more: what each strategy makes of it, under requests.

Nothing is behind the GPUs but a number in the nodes' status: whom the scheduler lets in is what matters.
"""

from pathlib import Path

import pytest

from slipway_operator.api import labels
from tests.cluster.interface import GPU
from tests.cluster.stack import Installed
from tests.scenario import manifest, scarcity
from tests.scenario.observation import observed
from tests.scenario.run import Run
from tests.scenario.scarcity import ONE_EACH

pytestmark = pytest.mark.cluster

SOME = 200
BY_TURNS = {"strategy": "Rolling", "maxUnavailable": 1}
WITHOUT_SURGE = {**BY_TURNS, "maxSurge": 0}
RECREATED = {"strategy": "Recreate", "allowDowntime": True}


@pytest.mark.case("D1")
@pytest.mark.long
def test_a_whole_second_set_of_pods_finds_no_room(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with scarcity.on_nodes(stack, 1, 1), observed(stack, namespace, tmp_path) as run:
        first = serve_the_first(run)

        second = run.apply("2", **ONE_EACH)
        assert_blocked(run, "HeldByOldVersion", live=first)
        lacking = run.seen.status["rollout"]["blocked"]
        assert (lacking["resource"], lacking["neededPerPod"], lacking["free"]) == (GPU, 1, 0)
        assert {holder["kind"] for holder in lacking["holders"]} == {"OldVersion"}
        run.apply("1", **ONE_EACH)
        run.wait_gone(second)  # long before the deadline, which is ten minutes
        run.wait_complete("1")

        run.apply("2", **ONE_EACH, rollout={"progressDeadlineSeconds": 10})
        run.until(lambda: run.seen.version(second).get("state") == "Blocked", what="its pods are let go")
        run.wait_gone(second)
        assert run.seen.selected == first
        scarcity.set_on_nodes(stack, 2, 2)
        run.wait_complete("2")  # by itself: it is tried again
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("D2")
def test_one_by_one_they_find_it(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with scarcity.on_nodes(stack, 1, 1), observed(stack, namespace, tmp_path) as run:
        first = serve_the_first(run, rollout=BY_TURNS)
        run.apply("2", **ONE_EACH, rollout=BY_TURNS)
        run.wait_complete("2")
        run.wait_gone(first)
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("D3")
@pytest.mark.long
def test_half_way_they_turn_back(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with scarcity.on_nodes(stack, 1, 1), observed(stack, namespace, tmp_path) as run:
        serve_the_first(run, rollout=WITHOUT_SURGE)
        second = run.apply("2", **ONE_EACH, rollout=WITHOUT_SURGE)
        run.until(lambda: run.seen.version(second).get("ready") == 1, what="half of the new pods are ready")
        run.apply("1", **ONE_EACH, rollout=WITHOUT_SURGE)
        run.wait_complete("1")
        run.wait_gone(second)
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("D4")
@pytest.mark.long
def test_recreated_they_have_it_after_an_outage_that_is_told(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with scarcity.on_nodes(stack, 1, 1), observed(stack, namespace, tmp_path) as run:
        first = run.apply("1", **ONE_EACH, rollout=RECREATED)
        run.wait_complete("1")
        second = run.apply("2", **ONE_EACH, rollout=RECREATED)
        run.until(lambda: run.seen.condition("Serving").get("status") == "False", what="the outage is told")
        run.until(lambda: bool(run.seen.pods(second)), what="the new version has pods")
        assert holding(run, first) == []
        run.wait_complete("2")
        told = [event["message"] for event in run.seen.view.of("Event", {})]
        assert any("version 1 is taken down" in message for message in told)
    assert run.outcome.complaints == []


@pytest.mark.case("D5")
@pytest.mark.long
def test_a_quota_keeps_the_second_set_from_existing_at_all(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with scarcity.on_nodes(stack, 2, 2), observed(stack, namespace, tmp_path) as run:
        scarcity.grant(run, 2)
        first = serve_the_first(run)

        second = run.apply("2", **ONE_EACH)
        assert_blocked(run, "QuotaExceeded", live=first)
        assert run.seen.status["rollout"]["blocked"]["quota"] == "gpus"
        assert not run.seen.pods(second)
        run.apply("1", **ONE_EACH)
        run.until(lambda: run.seen.replicas(second) == 0, what="version 2 asks for no pods any more")
        run.wait_complete("1")

        run.apply("2", **ONE_EACH, rollout={"progressDeadlineSeconds": 10})
        run.until(lambda: run.seen.version(second).get("state") == "Blocked", what="it is given up for now")
        scarcity.grant(run, 4)
        run.wait_complete("2")  # by itself: it is tried again
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.long
@pytest.mark.parametrize(
    "rollout",
    [
        pytest.param(BY_TURNS, id="one more at first", marks=pytest.mark.case("D6")),
        pytest.param(WITHOUT_SURGE, id="one less at first", marks=pytest.mark.case("D9")),
    ],
)
def test_within_a_quota_they_come_one_by_one(
    stack: Installed, namespace: str, tmp_path: Path, rollout: dict[str, object]
) -> None:
    with scarcity.on_nodes(stack, 2, 2), observed(stack, namespace, tmp_path) as run:
        scarcity.grant(run, 2)
        first = serve_the_first(run, rollout=rollout)
        run.apply("2", **ONE_EACH, rollout=rollout)
        run.wait_complete("2")
        run.wait_gone(first)
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("D7")
@pytest.mark.long
def test_one_pod_on_the_only_gpu_has_the_choices_named(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with scarcity.on_nodes(stack, 1, 0), observed(stack, namespace, tmp_path) as run:
        first = serve_the_first(run, replicas=1)
        run.apply("2", **ONE_EACH, replicas=1)
        message = assert_blocked(run, "HeldByOldVersion", live=first)
        assert "allowDowntime" in message
        run.apply("2", **ONE_EACH, replicas=1, rollout=WITHOUT_SURGE)
        message = assert_blocked(run, "NoTurnPossible", live=first)
        assert "allowDowntime" in message
        run.end_traffic()
        run.apply("2", **ONE_EACH, replicas=1, rollout=RECREATED)
        run.wait_complete("2")
    assert run.outcome.complaints == []


@pytest.mark.case("D8")
@pytest.mark.long
def test_a_third_version_has_the_room_of_the_one_that_is_kept_warm(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    """The pods of the first are ending for a while: until they have gone, theirs are no GPUs to be had."""
    with scarcity.on_nodes(stack, 2, 2), observed(stack, namespace, tmp_path) as run:
        first = serve_the_first(run)
        run.apply("2", **ONE_EACH, rollout={"keepWarmSeconds": 3600})
        run.wait_step("KeepingWarm")
        third = run.apply(
            "3", **ONE_EACH, source={"uri": manifest.uri("1")}, rollout={"keepWarmSeconds": 3600}
        )
        run.wait_selected(third)
        assert holding(run, first) == []
        run.wait_ready("3")
        run.send_more(SOME)
    assert run.outcome.complaints == []


def serve_the_first(run: Run, **changes: object) -> str:
    """Version 1 with its requests."""
    first = run.apply("1", **ONE_EACH, **changes)
    run.wait_complete("1")
    run.send()
    run.send_more(SOME)
    return first


def holding(run: Run, revision: str) -> list[str]:
    """The revision's pods that have not ended yet: those keep their GPUs."""
    pods = run.seen.view.of("Pod", {labels.REVISION: revision})
    return [p["metadata"]["name"] for p in pods if p["status"].get("phase") not in ("Succeeded", "Failed")]


def assert_blocked(run: Run, reason: str, *, live: str) -> str:
    """The version says that it cannot come and who has what it needs; the one before it serves on."""
    message = run.wait_stalled(reason)
    assert "version 1" in message
    assert run.seen.selected == live
    assert run.seen.holds("Serving", "Serving")
    run.send_more(SOME)
    return message
