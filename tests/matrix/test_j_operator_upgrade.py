"""J. The operator is upgraded: no model notices, and only revisions of afterwards are rendered anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway_operator.api import labels
from tests.cluster import stack as stacks
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
SOURCE = {"uri": manifest.uri("2")}
KEPT = {"historyLimit": 3}  # all versions of the case


@pytest.mark.case("J1")
def test_no_pod_starts_again(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1", rollout=KEPT)
        run.wait_complete("1")
        second = run.apply("2", rollout=KEPT)
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

            by_name = {"image": stack.references["runtime"]}
            third = run.apply("3", source=SOURCE, runtime=by_name, rollout=KEPT)
            run.wait_complete("3")
            run.wait_gone(second)
            assert all(labelled(run, kind) == {third} for kind in KINDS)

            run.apply("4", source=SOURCE, rollout=KEPT)
            assert ABSENT_IMAGE in run.wait_stalled("ImagePullFailed")
            run.apply("1", rollout=KEPT)  # as it was rendered once, with the image of then
            run.wait_complete("1")
            run.wait_gone(third)
            run.send_more(SOME)
            assert templates(run, first, second) == specs
            assert not {first, second} & labelled(run, "Deployment")
    assert run.outcome.complaints == []


def other(stack: Installed) -> dict[str, Any]:
    """Of another operator. No node can pull its default image: what is rendered anew by default is known."""
    usual = stacks.values(stack.references)
    return {
        "runtimeImage": {"repository": REPOSITORY, "tag": TAG},
        "runtimeImagesAllowed": [*usual["runtimeImagesAllowed"], stack.references["runtime"]],
        "logFormat": "console",
        "commonLabels": LABELS,
        "podAnnotations": LABELS,
    }


@contextmanager
def upgraded(stack: Installed, run: Run) -> Iterator[None]:
    """The chart with other values in the body; then again with those of the stack."""
    run.operator.log(run.namespace)  # its words go with its pod
    with installation.with_values(stack, **other(stack)):
        yield
        run.operator.log(run.namespace)


def labelled(run: Run, kind: str) -> set[str]:
    """The revisions of those children that bear the labels of the upgraded operator."""
    found = (item["metadata"]["labels"] for item in run.seen.view.of(kind, LABELS))
    return {each[labels.REVISION] for each in found if labels.REVISION in each}


def templates(run: Run, *revisions: str) -> dict[str, JsonObject]:
    return {revision: run.seen.deployment(revision)["spec"]["template"] for revision in revisions}
