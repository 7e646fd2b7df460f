"""O. The user has the last word: a version waits for it, or nothing at all is done until it is taken back."""

import json
from pathlib import Path

import pytest

from slipway_operator.api import labels
from slipway_operator.rendering import identity
from tests.cluster.stack import Installed
from tests.matrix.load import MODEST
from tests.scenario.manifest import NAME
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

SOME = 100
MANUAL = {"promotion": "Manual"}


@pytest.mark.case("O1")
def test_a_version_can_be_tried_and_has_no_request_before_it_is_promoted(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1", rollout=MANUAL)
        run.wait_complete("1")
        run.send(MODEST)
        run.send_more(SOME)

        second = run.apply("2", rollout=MANUAL)
        run.wait_step("WaitingForPromotion")
        assert f"{labels.PROMOTE}={second}" in run.seen.status["rollout"]["message"]
        run.until(lambda: previewed(run) == second, what="the preview Service leads to version 2")
        assert versions_behind(run, identity.preview_name(NAME)) == ["2"]
        annotate(run, labels.PROMOTE, first)  # a word, but about another version
        run.send_more(SOME)
        assert run.seen.step == "WaitingForPromotion"
        assert run.seen.selected == first

        annotate(run, labels.PROMOTE, second)
        run.wait_complete("2")
        run.wait_gone(first)
        run.send_more(SOME)
        assert previewed(run) == second
    assert run.outcome.complaints == []
    assert [switch.to for switch in run.outcome.switches] == [second]


@pytest.mark.case("O2")
@pytest.mark.long
def test_hands_off_it_says_what_it_would_do_and_does_nothing(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1")
        run.wait_complete("1")
        run.send(MODEST)
        run.send_more(SOME)

        annotate(run, labels.HANDS_OFF, "true")
        second = run.apply("2")
        run.until(lambda: second in withheld(run), what="it is told what would be done for version 2")
        assert f"{labels.HANDS_OFF} is set: nothing is written; it would" in withheld(run)
        run.quiet(10)
        assert run.seen.deployment(second) == {}
        assert run.seen.selected == first
        assert run.seen.status["targetVersion"] == "2"
        assert run.seen.holds("Serving", "Serving")

        annotate(run, labels.HANDS_OFF, None)
        run.wait_complete("2")
        run.wait_gone(first)
        run.send_more(SOME)
    assert run.outcome.complaints == []


def annotate(run: Run, name: str, value: str | None) -> None:
    """The model, as its user; None takes the annotation away."""
    run.kubectl.patch("imodel", NAME, {"metadata": {"annotations": {name: value}}}, namespace=run.namespace)


def withheld(run: Run) -> str:
    """What is said to be left undone; '' where nothing is."""
    told = run.seen.condition("Progressing")
    return str(told["message"]) if told.get("reason") == "HandsOff" else ""


def previewed(run: Run) -> str:
    """The revision that the preview Service selects, or ''."""
    found = run.seen.view.find("Service", run.namespace, identity.preview_name(NAME)) or {}
    return str(found.get("spec", {}).get("selector", {}).get(labels.REVISION, ""))


def versions_behind(run: Run, service: str) -> list[str]:
    """Those that a pod behind the Service serves, by its own word."""
    health = run.kubectl.raw(f"/api/v1/namespaces/{run.namespace}/services/{service}:http/proxy/health")
    found: list[str] = json.loads(health)["versions"]
    return found
