"""A. One good version follows another under requests of all kinds, and none of them fails."""

from pathlib import Path

import pytest

from tests.cluster.stack import Installed
from tests.ledger.generator.load import ClientClass, Load, Rate, Think
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

SOME = 400
SHORT_DRAIN = {"drain": {"timeoutSeconds": 1}, "bakeSeconds": 1, "keepWarmSeconds": 0}
# Clients whose connection serves one request: no drain of a second can tell the others in time.
LONG_REQUESTS = Load(
    clients={ClientClass.UPLOAD: 8, ClientClass.NEW: 2},
    paces={ClientClass.UPLOAD: Think(0, 0.2), ClientClass.NEW: Rate(6)},
    max_seconds=1500,
)


@pytest.mark.parametrize(
    "replicas",
    [
        pytest.param(1, id="one pod", marks=pytest.mark.case("A1")),
        pytest.param(3, id="three pods", marks=[pytest.mark.case("A2"), pytest.mark.long]),
    ],
)
def test_a_good_version_follows_a_good_one(
    stack: Installed, namespace: str, tmp_path: Path, replicas: int
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        run.apply("1", replicas=replicas)
        run.wait_complete("1")
        run.send()
        run.send_more(SOME)
        for version in ("2", "1"):
            roll(run, version, replicas=replicas)
    outcome = run.outcome
    assert outcome.complaints == []
    assert len(outcome.switches) == 2
    assert_every_kind_of_client_saw_both(run)


@pytest.mark.case("A3")
@pytest.mark.long
def test_requests_that_take_longer_than_the_drain_are_answered(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        run.apply("1", rollout=SHORT_DRAIN)
        run.wait_complete("1")
        run.send(LONG_REQUESTS)
        run.send_more(100)
        for version in ("2", "1", "2"):
            run.apply(version, rollout=SHORT_DRAIN)
            run.wait_complete(version)
            run.send_more(100)
    assert run.outcome.complaints == []


def roll(run: Run, version: str, *, replicas: int) -> None:
    run.apply(version, replicas=replicas)
    run.wait_complete(version)
    run.send_more(SOME)


def assert_every_kind_of_client_saw_both(run: Run) -> None:
    report = run.outcome.report
    assert report is not None
    assert {name: set(found.versions) for found in report.classes for name in [found.client_class]} == {
        kind.value: {"1", "2"} for kind in ClientClass
    }
