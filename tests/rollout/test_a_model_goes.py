"""A deleted model takes along all that is its own, and nothing else."""

from pathlib import Path

import pytest

from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import Installed
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

OWN = ("Deployment", "Service", "EndpointSlice", "ReplicaSet", "Pod", "PodDisruptionBudget")
LABELS = {"app": "bystander", "app.kubernetes.io/managed-by": "slipway"}


@pytest.mark.case("H7")
def test_everything_of_it_goes_and_it_can_come_again(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        before = put_bystanders(run)

        run.apply("1")
        run.wait_complete("1")
        run.apply("2", rollout={"keepWarmSeconds": 600})
        run.wait_step("KeepingWarm")
        run.delete()
        run.apply("1")  # at once, while the first one's children are being collected
        run.wait_complete("1")

        second = run.apply("2")
        run.wait_deployed(second)
        run.delete()
        run.until(lambda: children(run) == [], what="nothing of the model is left")

        assert bystanders(run) == before
    assert run.outcome.complaints == []


def put_bystanders(run: Run) -> list[JsonObject]:
    """Somebody else's objects beside the model, one with a name that begins like a child's."""
    run.kubectl.apply([service(), deployment()], namespace=run.namespace)
    name = deployment()["metadata"]["name"]
    run.kubectl.wait("condition=Available", f"deployment/{name}", namespace=run.namespace)
    return bystanders(run)


def bystanders(run: Run) -> list[JsonObject]:
    """As they are, to the last byte."""
    return [
        run.kubectl.get(each["kind"], each["metadata"]["name"], namespace=run.namespace)
        for each in (service(), deployment())
    ]


def children(run: Run) -> list[str]:
    found = (item for kind in OWN for item in run.seen.view.of(kind, {"slipway.dev/model": NAME}))
    return [item["metadata"]["name"] for item in found]


def service() -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{NAME}-public", "labels": LABELS},
        "spec": {"selector": {"app": "bystander"}, "ports": [{"port": 80}]},
    }


def deployment() -> JsonObject:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "absent"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{NAME}-worker", "labels": LABELS},
        "spec": {"replicas": 0, "selector": {"matchLabels": LABELS}, "template": template},
    }
