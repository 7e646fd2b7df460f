"""Q. More rollouts are asked for than may be under way: they wait for their turn, and none is forgotten."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from slipway_operator.domain.revision import child_name
from tests.cluster.stack import Installed
from tests.matrix.load import MODEST
from tests.scenario import installation, namespaces
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = [pytest.mark.cluster, pytest.mark.long]

SOME = 100
CLOCKS = timedelta(seconds=2)  # between two recordings of things that happen one after the other


@pytest.fixture
def one_at_a_time(stack: Installed) -> Iterator[Installed]:
    with installation.with_values(stack, rollouts={"maxConcurrent": 1}):
        yield stack


@pytest.fixture
def other_namespace(stack: Installed, namespace: str) -> Iterator[str]:
    """Of a second model; limits are of all models together."""
    with namespaces.lent(stack, f"{namespace}-2") as name:
        yield name


@pytest.mark.case("Q1")
def test_the_second_of_two_rollouts_waits_for_its_turn_and_goes_on_by_itself(
    one_at_a_time: Installed, namespace: str, other_namespace: str, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        observed(one_at_a_time, namespace, folders[0]) as one,
        observed(one_at_a_time, other_namespace, folders[1]) as two,
    ):
        old = one.apply("1", replicas=1)
        first = two.apply("1", replicas=1)
        one.wait_complete("1")
        two.wait_complete("1")
        two.send(MODEST)
        two.send_more(SOME)

        begun = one.apply("2", replicas=1, rollout={"bakeSeconds": 20})
        one.wait_deployed(begun)
        second = two.apply("2", replicas=1)
        two.wait_step("Queued")
        told = two.seen.status["rollout"]
        assert told["queue"]["position"] == 1
        assert f"at place 1; under way: {namespace}/{NAME}" in told["message"]
        assert two.seen.deployment(second) == {}
        assert two.seen.selected == first

        two.wait_complete("2")
        two.wait_gone(first)
        one.wait_complete("2")
        two.send_more(SOME)
    assert one.outcome.complaints == []
    assert two.outcome.complaints == []
    assert retired_at(one, old) < deployed_at(two, second) + CLOCKS, "two rollouts were under way at once"


def deployed_at(run: Run, revision: str) -> datetime:
    """When the revision's Deployment was there."""
    return next(at for at, _ in replicas(run, revision))


def retired_at(run: Run, revision: str) -> datetime:
    """When the revision's Deployment asked for no pod any more."""
    return next(at for at, wanted in replicas(run, revision) if wanted == 0)


def replicas(run: Run, revision: str) -> Iterator[tuple[datetime, int]]:
    for change in run.outcome.history.changes:
        key = change.key
        if (key.kind, key.name) == ("Deployment", child_name(NAME, revision)) and not change.deleted:
            yield change.at, int(change.raw["spec"].get("replicas", 1))
