"""A model that is deleted without its children, and applied again, goes on with them while they serve."""

from pathlib import Path

import pytest

from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import Installed
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

SOME = 100


@pytest.mark.case("H8")
def test_children_that_lost_their_owner_serve_on(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1")
        run.wait_complete("1")
        run.send()
        run.send_more(SOME)
        old, before = uid(run.seen.model), standing(run, first)

        run.stop_sampling()
        run.kubectl.run("delete", "imodel", NAME, "-n", namespace, "--cascade=orphan")
        run.until(lambda: not run.seen.model, what="the model is gone")
        run.until(lambda: owners(run, first) == set(), what="its children are nobody's")
        run.send_more(SOME)

        assert run.apply("1") == first
        run.until(lambda: owners(run, first) == {uid(run.seen.model)}, what="they are taken over")
        run.wait_complete("1")
        assert uid(run.seen.model) != old
        assert standing(run, first) == before
        run.send_more(SOME)

        run.apply("2")
        run.wait_complete("2")
        run.send_more(SOME)
    assert run.outcome.complaints == []


def uid(found: JsonObject) -> str:
    return str(found.get("metadata", {}).get("uid", ""))


def standing(run: Run, revision: str) -> set[str]:
    """The uids of what serves."""
    return {uid(run.seen.deployment(revision)), uid(run.seen.service), *run.seen.pods(revision)}


def owners(run: Run, revision: str) -> set[str]:
    """The uids of those that own the Deployment and the stable Service."""
    found = (run.seen.deployment(revision), run.seen.service)
    return {r["uid"] for each in found for r in each["metadata"].get("ownerReferences", [])}
