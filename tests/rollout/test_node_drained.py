"""A node is emptied while a new version is being watched: its pods leave one by one, and nobody notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.kubectl import Kubectl
from tests.cluster.stack import Installed
from tests.recorder.history import Change, History
from tests.scenario.observation import observed
from tests.scenario.run import PATIENCE, Run

pytestmark = pytest.mark.cluster

DRAINED = {"restartToken": "drained"}  # revisions of its own: no other model's pods are evicted
WATCHED = {"bakeSeconds": 120, "keepWarmSeconds": 0}


@pytest.mark.case("L1")
@pytest.mark.long
def test_pods_are_evicted_one_by_one(stack: Installed, namespace: str, tmp_path: Path) -> None:
    other, node = stack.cluster.nodes()
    with observed(stack, namespace, tmp_path) as run:
        with cordoned(run.kubectl, other):  # all pods on one node: both versions lose all that they have
            old = run.apply("1", **DRAINED)
            run.wait_complete("1")
            run.send()
            run.send_more(200)
            new = run.apply("2", **DRAINED, rollout=WATCHED)
            run.wait_step("Baking")
        with cordoned(run.kubectl, node):
            drain(run, node, revisions=(old, new))
            run.send_more(200)
            run.wait_complete("2")
        run.wait_gone(old)
        run.send_more(200)
    outcome = run.outcome
    assert outcome.complaints == []
    assert [switch.to for switch in outcome.switches] == [new]
    assert short_budgets(outcome.history) == []


def drain(run: Run, node: str, *, revisions: tuple[str, ...]) -> None:
    """As an administrator would, but for the pods that are not the model's."""
    which = f"--pod-selector=slipway.dev/revision in ({','.join(revisions)})"
    limit = f"--timeout={PATIENCE:g}s"
    options = ("--ignore-daemonsets", "--delete-emptydir-data", which, limit)
    run.kubectl.run("drain", node, *options, timeout=PATIENCE + 20)


@contextmanager
def cordoned(kubectl: Kubectl, node: str) -> Iterator[None]:
    """No pod is scheduled there meanwhile."""
    kubectl.run("cordon", node)
    try:
        yield
    finally:
        kubectl.run("uncordon", node)


def short_budgets(history: History) -> list[str]:
    """Disruption budgets that had enough healthy pods, and at some time fewer than they are to keep."""
    kept: set[str] = set()
    short: list[str] = []
    for change in history.changes:
        if change.key.kind != "PodDisruptionBudget" or change.deleted:
            continue
        healthy, least = _health(change)
        if healthy >= least > 0:
            kept.add(change.key.name)
        elif healthy < least and change.key.name in kept:
            short.append(f"{change.at:%H:%M:%S} {change.key}: {healthy} of {least}")
    return short


def _health(change: Change) -> tuple[int, int]:
    status = change.raw.get("status", {})
    return status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
