"""The number of pods follows the spec, also while a rollout is under way."""

from pathlib import Path

import pytest

from tests.cluster.stack import Installed
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster


@pytest.mark.case("I1")
def test_pods_come_and_go_as_asked(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1")
        run.wait_complete("1")
        run.send()
        run.send_more(200)

        scale_to(run, 3)
        scale_to(run, 1)
        run.until(lambda: len(run.seen.pods(first)) == 1, what="the other pods have drained")

        scale_to(run, 2)
        second = run.apply("2")
        run.wait_deployed(second)
        run.scale(1)
        run.wait_complete("2")
        assert run.seen.status["readyReplicas"] == 1
        run.wait_gone(first)
        run.send_more(200)
        run.end_traffic()

        hibernate_and_wake(run, second)
        nothing_moves_at_rest(run)
    outcome = run.outcome
    assert outcome.complaints == []
    assert len(outcome.switches) == 1


def scale_to(run: Run, replicas: int) -> None:
    run.scale(replicas)
    run.until(lambda: run.seen.status.get("readyReplicas") == replicas, what=f"{replicas} ready pods")


def hibernate_and_wake(run: Run, revision: str) -> None:
    run.scale(0)
    run.wait_step("Hibernated")
    run.wait_gone(revision)
    run.until(lambda: run.seen.holds("Ready", "Hibernated"), what="it is as it was asked for")
    assert run.seen.condition("Serving")["status"] == "False"
    run.scale(1)
    run.wait_complete("2")


def nothing_moves_at_rest(run: Run) -> None:
    """Nobody writes: no object's resourceVersion changes (I10)."""
    run.quiet(2)  # the EndpointSlices come to rest a little after the status
    before = dict(run.seen.view.positions())
    run.quiet(20)
    assert run.seen.view.positions() == before
