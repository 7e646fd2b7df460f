"""P. A Service that is there already, and leads to a plain Deployment, is taken over under requests."""

from pathlib import Path

import pytest

from slipway_operator.api import labels
from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import Installed
from tests.matrix import plain
from tests.matrix.load import MODEST
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

SOME = 100


@pytest.mark.case("P1")
def test_a_service_of_a_plain_deployment_is_taken_over(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    """As docs/adoption.md says: lent, moved once, and its owner's Deployment never touched."""
    with observed(stack, namespace, tmp_path) as run:
        image = stack.references["runtime"]
        run.kubectl.apply(
            [plain.deployment("1", image=image, replicas=2), plain.service()], namespace=namespace
        )
        run.kubectl.wait(
            "condition=Available", f"deployment/{plain.DEPLOYMENT}", namespace=namespace, timeout=240
        )
        run.send(MODEST)
        run.send_more(SOME)
        before = generation(run)

        run.apply("2")
        assert f"Service {NAME}" in run.wait_stalled("NameConflict")
        lent = {"metadata": {"annotations": {labels.ADOPT: "true"}}}
        run.kubectl.patch("service", NAME, lent, namespace=namespace)
        run.wait_complete("2")
        run.send_more(SOME)
        assert generation(run) == before
        assert owners(run) == []

        where = ("-n", namespace, "--replicas=0")
        run.kubectl.run("scale", f"deployment/{plain.DEPLOYMENT}", *where)
        run.until(lambda: not run.seen.view.of("Pod", plain.LABELS), what="the owner's pods are gone")
        last = run.apply("1")
        run.wait_complete("1")
        run.send_more(SOME)
        assert run.seen.selected == last
    outcome = run.outcome
    assert outcome.complaints == []
    assert outcome.report is not None
    assert {(switch.old, switch.new) for switch in outcome.report.switches} == {("1", "2"), ("2", "1")}


def generation(run: Run) -> int:
    """How often somebody has changed the owner's Deployment."""
    found = run.kubectl.get("deployment", plain.DEPLOYMENT, namespace=run.namespace)
    return int(found["metadata"]["generation"])


def owners(run: Run) -> list[JsonObject]:
    return list(run.seen.service["metadata"].get("ownerReferences", []))
