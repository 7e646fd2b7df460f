"""Two operators stand, and one acts: when it dies in mid-rollout, with its pod, the other goes on."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from tests.cluster.release import NAMESPACE, PODS
from tests.cluster.stack import Installed
from tests.recorder import journal
from tests.scenario import audit, installation
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = [pytest.mark.cluster, pytest.mark.long]


@pytest.fixture
def two(stack: Installed) -> Iterator[Installed]:
    """The chart with a second operator."""
    with installation.with_values(stack, replicas=2):
        yield stack


@pytest.mark.case("K1")
def test_the_other_one_ends_the_rollout(two: Installed, namespace: str, tmp_path: Path) -> None:
    begin = journal.now()
    with observed(two, namespace, tmp_path) as run:
        old = run.apply("1")
        run.wait_complete("1")
        run.send()
        run.send_more(300)
        first = run.operator.name
        others = operators(run) - {first}
        new = run.apply("2")
        run.wait_deployed(new)
        kill_with_its_pod(run)
        run.operator.wait()
        second = run.operator.name
        run.wait_complete("2")
        run.wait_gone(old)
        run.send_more(300)
    assert run.outcome.complaints == []
    assert {second} == others
    if two.cluster.audit_log is not None:
        written = audit.writes(two.cluster.audit_log, begin=begin, end=journal.now())
        acting = [write.pod for write in written if write.namespace == namespace]
        assert [pod for pod, _ in groupby(acting)] == [first, second], "both wrote at once"


def kill_with_its_pod(run: Run) -> None:
    """As when its node dies: the container is not started again, and nobody gives the Lease back."""
    pod, kill = run.operator.name, run.operator.aim()
    run.kubectl.run("delete", "pod", pod, "-n", NAMESPACE, "--grace-period=0", "--force")
    kill()


def operators(run: Run) -> set[str]:
    """Names of the operator's pods."""
    pods = run.kubectl.list("pod", namespace=NAMESPACE, selector=PODS)
    return {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}
