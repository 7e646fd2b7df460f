"""H. Somebody edits or deletes the children by hand: the model comes back to what its spec says."""

from pathlib import Path

import pytest

from slipway_operator.domain.revision import child_name
from tests.cluster.stack import Installed
from tests.matrix.load import MODEST
from tests.recorder import invariants
from tests.recorder.metadata import Key
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

SOME = 100


@pytest.mark.case("H3")
@pytest.mark.long
def test_replicas_of_the_serving_deployment_are_lowered(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1", replicas=3)
        run.wait_complete("1")
        run.send(MODEST)
        run.send_more(SOME)
        deployment = Key("Deployment", namespace, child_name(NAME, first))
        run.excuse(invariants.excuse("I2", deployment))
        run.excuse(invariants.excuse("I1", Key("Service", namespace, NAME)))
        run.kubectl.run("scale", f"deployment/{deployment.name}", "-n", namespace, "--replicas=1")
        run.until(lambda: run.seen.replicas(first) == 1, what="the edit is seen")
        run.until(lambda: run.seen.replicas(first) == 3, what="three replicas again")
        run.wait_complete("1")
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("H4")
def test_the_coming_deployment_is_deleted(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        run.apply("1")
        run.wait_complete("1")
        run.send(MODEST)
        run.send_more(SOME)
        second = run.apply("2")
        run.wait_deployed(second)  # each kind has a watch of its own: pods may be seen before what made them
        run.until(lambda: bool(run.seen.pods(second)), what="pods of version 2")
        uid = run.seen.deployment(second)["metadata"]["uid"]
        run.kubectl.delete("deployment", child_name(NAME, second), namespace=namespace, wait=False)
        run.until(lambda: is_another(run, second, uid), what="another Deployment")
        run.wait_complete("2")
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("H5")
@pytest.mark.long
def test_the_serving_deployment_is_deleted(stack: Installed, namespace: str, tmp_path: Path) -> None:
    """Its pods go with it; they drain, and those that come in their place are ready a moment later."""
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1")
        run.wait_complete("1")
        uid = run.seen.deployment(first)["metadata"]["uid"]
        deployment = Key("Deployment", namespace, child_name(NAME, first))
        for invariant in ("I1", "I2"):
            run.excuse(invariants.excuse(invariant, deployment))
            run.excuse(invariants.excuse(invariant, Key("Service", namespace, NAME)))
        run.kubectl.delete("deployment", deployment.name, namespace=namespace, wait=False)
        run.until(lambda: is_another(run, first, uid), what="another Deployment")
        run.wait_complete("1")
        assert run.seen.selected == first
        run.send(MODEST)
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("H6")
@pytest.mark.long
def test_the_model_is_deleted_while_there_is_no_operator(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        run.apply("1")
        run.wait_complete("1")
        second = run.apply("2", rollout={"bakeSeconds": 300})
        run.wait_selected(second)
        with run.operator.away():
            run.delete()
            run.until(lambda: children(run) == set(), what="nothing of the model is left")
        run.quiet(10)
        assert children(run) == set()
    assert run.outcome.complaints == []


def is_another(run: Run, revision: str, uid: str) -> bool:
    return bool(run.seen.deployment(revision).get("metadata", {}).get("uid", uid) != uid)


def children(run: Run) -> set[str]:
    kinds = ("Deployment", "Service", "EndpointSlice", "ReplicaSet", "Pod", "PodDisruptionBudget")
    found = (item for kind in kinds for item in run.seen.view.of(kind, {"slipway.dev/model": NAME}))
    return {item["metadata"]["name"] for item in found}
