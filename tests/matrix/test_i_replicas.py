"""I. The number of pods is somebody else's: the operator follows it, and never puts it back."""

from pathlib import Path

import pytest

from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import Installed
from tests.matrix.load import MODEST
from tests.scenario import manifest
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = [pytest.mark.cluster, pytest.mark.long]

SOME = 100


@pytest.mark.case("I2")
def test_an_autoscaler_owns_the_replicas(stack: Installed, namespace: str, tmp_path: Path) -> None:
    """A real one; without metrics it still keeps the number within its bounds, which are moved here."""
    with observed(stack, namespace, tmp_path) as run:
        run.apply("1", replicas=1)
        run.wait_complete("1")
        run.send(MODEST)
        run.kubectl.apply(autoscaler(least=3, most=4), namespace=namespace)
        until_ready(run, 3)

        second = run.patch({"version": "2", "source": {"uri": manifest.uri("2")}})
        run.wait_deployed(second)
        run.kubectl.apply(autoscaler(least=4, most=4), namespace=namespace)
        run.wait_selected(second)
        until_ready(run, 4)
        run.wait_step("Complete")
        assert run.seen.replicas(second) == 4

        run.kubectl.apply(autoscaler(least=1, most=2), namespace=namespace)
        until_ready(run, 2)
        run.send_more(SOME)
        run.end_traffic()
        run.quiet(20)
        assert run.seen.model["spec"]["replicas"] == 2
    assert run.outcome.complaints == []


def until_ready(run: Run, replicas: int) -> None:
    run.until(lambda: run.seen.status.get("readyReplicas") == replicas, what=f"{replicas} ready pods")


def autoscaler(*, least: int, most: int) -> JsonObject:
    target = {"apiVersion": "slipway.dev/v1alpha1", "kind": "InferenceModel", "name": NAME}
    usage = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": NAME},
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": usage}],
            # At once, where it would wait for minutes before it takes pods away.
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }
