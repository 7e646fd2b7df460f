"""The stable Service deleted or edited by hand comes back to where the operator had it."""

from pathlib import Path

import pytest

from tests.cluster.stack import Installed
from tests.recorder import invariants
from tests.recorder.metadata import Key
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster


@pytest.mark.case("H1")
def test_it_comes_back_on_the_serving_revision(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1", replicas=1)
        run.wait_complete("1")
        second = run.apply("2", replicas=1)
        run.wait_complete("2")
        assert first != second

        uid = run.seen.service["metadata"]["uid"]
        run.kubectl.delete("service", NAME, namespace=namespace)
        run.until(lambda: is_another(run, uid), what="a new Service")
        run.wait_complete("2")
        assert run.seen.selected == second

        # Until the operator has seen the edit, there is an outage and its last word is wrong.
        run.excuse(invariants.excuse("I1", Key("Service", namespace, NAME)))
        run.excuse(invariants.excuse("I5", run.key))
        edit(run, {"app": "nobody", "slipway.dev/model": None, "slipway.dev/revision": None})
        run.until(lambda: run.seen.selected == "", what="the edit is seen")
        run.wait_selected(second)
        run.wait_complete("2")
        assert run.seen.service["spec"]["selector"] == {
            "slipway.dev/model": NAME,
            "slipway.dev/revision": second,
        }
    assert run.outcome.complaints == []


def is_another(run: Run, uid: str) -> bool:
    return bool(run.seen.service.get("metadata", {}).get("uid", uid) != uid)


def edit(run: Run, selector: dict[str, str | None]) -> None:
    patch = {"spec": {"selector": selector}}
    run.kubectl.patch("service", NAME, patch, namespace=run.namespace)
