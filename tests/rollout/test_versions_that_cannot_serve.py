"""A version that is bad, or cannot come up: it says why, and the one that serves goes on serving.

One live model under requests for all of them, since nothing may come of any.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from tests.cluster.stack import ABSENT_IMAGE, Installed
from tests.rollout import wrong_bundles
from tests.rollout.wrong_bundles import CLOSED_BUCKET, Uploaded
from tests.scenario import manifest
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

ONE = {"replicas": 1}
SECOND = manifest.uri("2")


@dataclass(frozen=True, slots=True)
class Case:
    """A change of the spec that cannot end well, the reason it gets, and what its message names."""

    what: str
    reason: str
    names: str
    changes: Mapping[str, Any]
    bundle: str = ""  # one of `wrong`


BAD = (
    Case("a byte of model.onnx is another", "DigestMismatch", "model.onnx", {}, bundle="digest"),
    Case("the golden examples are another model's", "GoldenMismatch", "golden", {}, bundle="golden"),
    Case("model.onnx is no model", "ModelLoadFailed", "model.onnx", {}, bundle="unloadable"),
    Case(
        "slipway.yaml is not the one that is pinned",
        "DigestMismatch",
        "slipway.yaml",
        {"source": {"uri": SECOND, "sha256": "0" * 64}},
    ),
    Case(
        "an example of the spec gets another answer",
        "GoldenMismatch",
        "a wonderful film",
        {
            "source": {"uri": SECOND},
            "rollout": {"verification": {"examples": [{"text": "a wonderful film", "label": "negative"}]}},
        },
    ),
)
OUT_OF_REACH = (
    Case("no such bucket", "SourceNotFound", "no-such-bucket", {"source": {"uri": "s3://no-such-bucket/1"}}),
    Case("no such folder", "SourceNotFound", "sentiment/none", {"source": {"uri": manifest.uri("none")}}),
    Case("a closed bucket", "SourceForbidden", CLOSED_BUCKET, {"source": {"uri": f"s3://{CLOSED_BUCKET}/1"}}),
    Case(
        "no such Secret",
        "SecretNotFound",
        "no-such-secret",
        {"source": {"uri": SECOND, "credentialsSecretName": "no-such-secret"}},
    ),
    Case(
        "no node has the room",
        "Unschedulable",
        "Insufficient cpu",
        {"source": {"uri": SECOND}, "resources": {"requests": {"cpu": "1k"}}},
    ),
    Case(
        "an image that no node can pull",
        "ImagePullFailed",
        ABSENT_IMAGE,
        {"source": {"uri": SECOND}, "runtime": {"image": ABSENT_IMAGE}},
    ),
)


def as_cases(chosen: Sequence[Case], first: int) -> list[ParameterSet]:
    """For the matrix, which counts them from B`first` on."""
    return [
        pytest.param(case, id=case.what, marks=pytest.mark.case(f"B{number}"))
        for number, case in enumerate(chosen, first)
    ]


@pytest.fixture(scope="module")
def wrong(stack: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Uploaded]]:
    """The wrong bundles, in S3."""
    with wrong_bundles.uploaded(stack, tmp_path_factory.mktemp("bundles")) as bundles:
        yield bundles


@pytest.fixture(scope="module")
def run(stack: Installed, module_namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Version 1 with its requests. When the last test has ended, none may have failed."""
    with observed(stack, module_namespace, tmp_path_factory.mktemp("run")) as run:
        run.apply("1", **ONE)
        run.wait_complete("1")
        run.send()
        yield run
        run.apply("1", **ONE)
        run.wait_complete("1")
        run.send_more(100)
    assert run.outcome.complaints == []


@pytest.fixture(autouse=True)
def _back_to_the_first(run: Run) -> Iterator[None]:
    yield
    run.apply("1", **ONE)
    run.wait_complete("1")


@pytest.mark.parametrize("case", as_cases(BAD, 1))
def test_a_bad_version_is_rejected(run: Run, wrong: Mapping[str, Uploaded], case: Case) -> None:
    live = run.seen.selected
    source = {"source": wrong[case.bundle].source} if case.bundle else {}
    revision = run.apply("2", **ONE, **case.changes, **source)
    message = run.wait_stalled(case.reason)
    run.until(lambda: run.seen.version(revision).get("state") == "Rejected", what="the verdict is told")
    assert case.names in message
    assert run.seen.version(revision)["reason"] == case.reason
    run.wait_gone(revision)
    assert run.seen.replicas(revision) == 0
    assert_the_first_serves_on(run, live)


@pytest.mark.parametrize("case", as_cases(OUT_OF_REACH, 6))
def test_a_version_that_cannot_come_up_says_why(run: Run, case: Case) -> None:
    live = run.seen.selected
    revision = run.apply("2", **ONE, **case.changes)
    message = run.wait_stalled(case.reason)
    assert case.names in message
    assert_the_first_serves_on(run, live)
    run.apply("1", **ONE)
    run.wait_gone(revision)


@pytest.mark.case("B12")
def test_an_image_that_is_not_on_the_list_is_never_started(run: Run) -> None:
    live = run.seen.selected
    image = "registry.example.com/anything:1"
    revision = run.apply("2", **ONE, runtime={"image": image})
    message = run.wait_stalled("ImageNotAllowed")
    assert image in message
    assert run.seen.deployment(revision) == {}
    assert_the_first_serves_on(run, live)


@pytest.mark.case("B13")
def test_pods_are_let_go_at_the_deadline(run: Run) -> None:
    live = run.seen.selected
    late = {"resources": {"requests": {"cpu": "1k"}}, "rollout": {"progressDeadlineSeconds": 8}}
    revision = run.apply("2", **ONE, **late)
    run.until(lambda: run.seen.version(revision).get("state") == "Blocked", what="its pods are let go")
    message = run.seen.condition("Stalled")["message"]
    assert "Insufficient cpu" in message
    assert "tried again at" in message
    run.wait_gone(revision)
    assert_the_first_serves_on(run, live)


@pytest.mark.case("B14")
def test_a_secret_that_comes_later_is_not_too_late(run: Run, stack: Installed) -> None:
    run.apply("2", **ONE, source={"uri": SECOND, "credentialsSecretName": "comes-later"})
    run.wait_stalled("SecretNotFound")
    stack.s3.give_reader("comes-later", run.namespace)
    run.wait_complete("2")


@pytest.mark.case("B15")
def test_a_rejected_version_is_tried_again_when_asked_to(run: Run, wrong: Mapping[str, Uploaded]) -> None:
    bad = {"source": wrong["unloadable"].source}
    revision = run.apply("2", **ONE, **bad)
    run.wait_stalled("ModelLoadFailed")
    run.wait_gone(revision)
    run.apply("2", **ONE, **bad, rollout={"retryToken": "again"})
    run.until(lambda: bool(run.seen.pods(revision)), what="a second attempt")
    run.wait_stalled("ModelLoadFailed")
    run.wait_gone(revision)


@pytest.mark.case("B16")
def test_a_good_version_takes_the_place_of_a_bad_one(run: Run, wrong: Mapping[str, Uploaded]) -> None:
    bad = run.apply("2", **ONE, source=wrong["golden"].source)
    run.wait_stalled("GoldenMismatch")
    good = run.apply("3", **ONE, source={"uri": SECOND})
    run.wait_complete("3")
    run.wait_gone(bad)
    assert run.seen.selected == good
    assert run.seen.condition("Stalled") == {}


def assert_the_first_serves_on(run: Run, live: str) -> None:
    assert run.seen.selected == live
    assert run.seen.status["activeVersion"] == "1"
    assert run.seen.holds("Serving", "Serving")
    assert run.seen.condition("Ready")["status"] == "False"
