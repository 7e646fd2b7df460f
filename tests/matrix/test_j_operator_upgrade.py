"""J. The operator is upgraded: no model notices, and only revisions of afterwards are rendered anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway_operator.api import labels
from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import ABSENT_IMAGE, Installed
from tests.matrix import evidence
from tests.matrix.load import MODEST
from tests.scenario import installation, manifest
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

SOME = 100
REPOSITORY, _, TAG = ABSENT_IMAGE.rpartition(":")
KINDS = ("Deployment", "Service", "Pod")
LABELS = {"example.org/upgraded": "true"}
# With an image that no node can pull as its default, every pod that is rendered anew is known at once.
OTHER: dict[str, Any] = {
    "runtimeImage": {"repository": REPOSITORY, "tag": TAG},
    "logFormat": "console",
    "commonLabels": LABELS,
    "podAnnotations": {"example.org/upgraded": "true"},
}


@pytest.mark.case("J1")
def test_no_pod_starts_again(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1")
        run.wait_complete("1")
        second = run.apply("2")
        run.wait_complete("2")
        run.wait_gone(first)
        run.send(MODEST)
        run.send_more(SOME)
        pods, specs = run.seen.pods(second), templates(run, first, second)
        with upgraded(stack, run):
            run.quiet(5)
            assert run.seen.pods(second) == pods
            assert evidence.restarted(run, pods) == set()
            assert templates(run, first, second) == specs
            assert all(labelled(run, kind) == set() for kind in KINDS)

            third = run.apply("3", source={"uri": manifest.uri("2")})
            message = run.wait_stalled("ImagePullFailed")
            assert ABSENT_IMAGE in message
            assert all(labelled(run, kind) == {third} for kind in KINDS)
            run.apply("1")  # as it was rendered once, with the image of then
            run.wait_complete("1")
            run.wait_gone(second)
            run.wait_gone(third)
            assert labelled(run, "Deployment") == {third}
            run.send_more(SOME)
    assert run.outcome.complaints == []
    assert templates(run, first) == {first: specs[first]}


@contextmanager
def upgraded(stack: Installed, run: Run) -> Iterator[None]:
    """The chart with other values in the body; then again with those of the stack."""
    run.operator.log(run.namespace)  # its words go with its pod
    with installation.with_values(stack, **OTHER):
        yield
        run.operator.log(run.namespace)


def labelled(run: Run, kind: str) -> set[str]:
    """The revisions of those children that bear the labels of the upgraded operator."""
    return {item["metadata"]["labels"][labels.REVISION] for item in run.seen.view.of(kind, LABELS)}


def templates(run: Run, *revisions: str) -> dict[str, JsonObject]:
    return {revision: run.seen.deployment(revision)["spec"]["template"] for revision in revisions}
