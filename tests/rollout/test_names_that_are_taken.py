"""An object of a needed name that belongs to somebody else: it is let be, and said to be in the way."""

from pathlib import Path

import pytest

from slipway_operator.domain.revision import child_name
from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import Installed
from tests.recorder.metadata import Key
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster


@pytest.mark.case("H2")
def test_nothing_begins_until_the_name_is_free(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        foreign = put(run, service())
        run.apply("1")
        message = run.wait_stalled("NameConflict")
        assert f"Service {NAME}" in message
        assert run.seen.deployments() == set()
        remove_untouched(run, foreign)
        run.wait_complete("1")

        run.send()
        foreign = put(run, deployment(child_name(NAME, run.would_ask("2"))))
        run.apply("2")
        message = run.wait_stalled("NameConflict")
        assert foreign["metadata"]["name"] in message
        assert run.seen.status["activeVersion"] == "1"
        remove_untouched(run, foreign)
        run.wait_complete("2")
        run.send_more(100)
    assert run.outcome.complaints == []


def put(run: Run, manifest: JsonObject) -> JsonObject:
    """Somebody else's object, as it stands once its controllers have come to rest."""
    run.kubectl.apply(manifest, namespace=run.namespace)
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    if kind == "Deployment":
        run.kubectl.wait("condition=Available", f"deployment/{name}", namespace=run.namespace)
    return run.kubectl.get(kind, name, namespace=run.namespace)


def remove_untouched(run: Run, foreign: JsonObject) -> None:
    kind, name = foreign["kind"], foreign["metadata"]["name"]
    assert run.kubectl.get(kind, name, namespace=run.namespace) == foreign
    run.deletes(Key(kind, run.namespace, name))
    run.kubectl.delete(kind, name, namespace=run.namespace)


def service() -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {"selector": {"app": "another"}, "ports": [{"port": 80}]},
    }


def deployment(name: str) -> JsonObject:
    labels = {"app": "another"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "absent"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }
