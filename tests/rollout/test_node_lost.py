"""A node falls silent while a new version is being watched: that says nothing against the version."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.local import processes
from tests.cluster.local.provider import LocalCluster
from tests.cluster.stack import Installed
from tests.scenario.observation import observed

pytestmark = [pytest.mark.cluster, pytest.mark.long]

WATCHED = {"bakeSeconds": 300, "keepWarmSeconds": 0}


@pytest.mark.case("L2")
def test_the_requests_do_not_go_back(stack: Installed, namespace: str, tmp_path: Path) -> None:
    """Its pods run on, but nobody hears of them: after a while they are taken for not ready."""
    if not isinstance(stack.cluster, LocalCluster):
        pytest.skip("the kubelets run on machines that are not to be touched")
    with observed(stack, namespace, tmp_path) as run:
        old = run.apply("1")
        run.wait_complete("1")
        run.send()
        new = run.apply("2", rollout=WATCHED)
        run.wait_step("Baking")
        with silenced(stack.cluster, stack.cluster.nodes()[-1]):
            run.until(lambda: run.seen.version(new).get("ready") == 1, what="a pod on it is not ready")
            run.send_more(200)
        run.until(lambda: run.seen.version(new).get("ready") == 2, what="the node is back")
        run.patch({"rollout": {"bakeSeconds": 1}})
        run.wait_complete("2")
        run.wait_gone(old)
        run.send_more(200)
    assert run.outcome.complaints == []
    assert [switch.to for switch in run.outcome.switches] == [new]


@contextmanager
def silenced(cluster: LocalCluster, node: str) -> Iterator[None]:
    """Its kubelet stands still meanwhile."""
    started = processes.load(cluster.layout.record)
    kubelet = next(process for process in started if process.name == f"{node}-kubelet")
    assert kubelet.alive
    os.kill(kubelet.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(kubelet.pid, signal.SIGCONT)
