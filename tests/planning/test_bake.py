"""After the switch the new version is watched, and on evidence of its own the requests go back."""

import dataclasses
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, bake, inquiry
from tests.planning.situations import NOW, Scene, a_model, a_verdict, ago, ahead

REASON, FAULT, STEP = reasons.ConditionReason, observed.Fault, reasons.RolloutStep
BACK = actions.SwitchTraffic("v2", "v1", NOW, "7", back=True)
ERRORS = observed.Answers(failed=30, total=100)


def _symptom(fault: observed.Fault = FAULT.CRASHED, *, seconds_ago: float = 1) -> observed.Symptom:
    return observed.Symptom(fault, ago(seconds_ago), f"Pod x {fault.value}")


def _after_the_switch(*, old: int = 1, new: int = 1, seconds_ago: float = 20, **fields: Any) -> Scene:
    scene = a_model(asking="v2", bake=60, retry_token="once")
    scene = scene.with_revision("v1", ready=old, desired=1, promoted_at=ago(9000))
    return scene.with_live("v2", ready=new, **fields).switched("v1", seconds_ago=seconds_ago)


@pytest.mark.parametrize(
    ("scene", "reason", "message"),
    [
        pytest.param(
            _after_the_switch(symptoms=(_symptom(),)),
            REASON.CRASHED_AFTER_SWITCH,
            "after the switch Pod x crashed; the requests went back to version v1",
            id="it crashes",
        ),
        pytest.param(
            _after_the_switch(new=0, symptoms=(_symptom(),)),
            REASON.CRASHED_AFTER_SWITCH,
            "after the switch Pod x crashed; the requests went back to version v1",
            id="it crashes and nothing of it is ready",
        ),
        pytest.param(
            _after_the_switch(new=3, symptoms=(_symptom(),)),
            REASON.CRASHED_AFTER_SWITCH,
            "after the switch Pod x crashed; the requests went back to version v1",
            id="it crashes and has more ready pods than the old version",
        ),
        pytest.param(
            _after_the_switch(answers=ERRORS),
            REASON.ERRORS_AFTER_SWITCH,
            "after the switch 30 of 100 answers were errors; the requests went back to version v1",
            id="it answers with errors",
        ),
        pytest.param(
            _after_the_switch(answers=observed.Answers(30, 9000), answers_lately=ERRORS),
            REASON.ERRORS_AFTER_SWITCH,
            "after the switch 30 of 100 answers were errors; the requests went back to version v1",
            id="it begins to answer with errors after thousands of good answers",
        ),
        pytest.param(
            _after_the_switch(new=0, symptoms=(_symptom(FAULT.UNREADY),)),
            REASON.UNREADY_AFTER_SWITCH,
            "after the switch Pod x ceased to be ready; the requests went back to version v1",
            id="it ceases to be ready",
        ),
    ],
)
def test_the_requests_go_back_when(scene: Scene, reason: reasons.ConditionReason, message: str) -> None:
    verdict = observed.Verdict(reason, message, NOW, "once", attempts=1)
    assert scene.actions == (actions.Reject("v2", verdict), BACK)
    paused = dataclasses.replace(scene, asked=dataclasses.replace(scene.asked, paused=True))
    assert paused.actions == scene.actions, "a pause stops everything but the way back"


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(_after_the_switch(), id="nothing is wrong"),
        pytest.param(_after_the_switch(symptoms=(_symptom(seconds_ago=21),)), id="it crashed before"),
        pytest.param(_after_the_switch(old=0, symptoms=(_symptom(),)), id="the old version has no ready pod"),
        pytest.param(
            _after_the_switch(new=1, symptoms=(_symptom(FAULT.UNREADY),)),
            id="it ceases to be ready, and the old version has no more ready pods",
        ),
        pytest.param(
            _after_the_switch(new=0, symptoms=(_symptom(FAULT.UNREADY, seconds_ago=30),)),
            id="it ceased to be ready before",
        ),
        pytest.param(_after_the_switch(answers=observed.Answers(19, 19)), id="too few answers prove nothing"),
        pytest.param(_after_the_switch(answers=observed.Answers(9, 100)), id="a few answers are errors"),
        pytest.param(_after_the_switch(symptoms=(_symptom(),), seconds_ago=60), id="the bake is over"),
    ],
)
def test_the_requests_stay_when(scene: Scene) -> None:
    assert bake.flip_back(scene.situation).actions == ()


def test_what_the_requests_went_back_to_is_not_watched() -> None:
    scene = _after_the_switch(symptoms=(_symptom(),)).switched("v1", seconds_ago=20, back=True)
    assert bake.ends_at(scene.situation) is None
    assert bake.flip_back(scene.situation).actions == ()


def test_a_rejected_version_is_nothing_to_go_back_to() -> None:
    scene = a_model(asking="v2", bake=60).with_revision("v1", ready=1, rejected=a_verdict())
    scene = scene.with_live("v2", symptoms=(_symptom(),)).switched("v1", seconds_ago=20)
    assert bake.flip_back(scene.situation).actions == ()


def test_an_operator_that_died_after_the_verdict_moves_the_requests_afterwards() -> None:
    scene = _after_the_switch(rejected=a_verdict(retry_token="once"), seconds_ago=500)
    assert scene.actions[-1:] == (BACK,)


def test_a_verdict_of_an_earlier_token_moves_nothing() -> None:
    scene = _after_the_switch(rejected=a_verdict(retry_token="before"))
    assert bake.flip_back(scene.situation).actions == ()


def test_nothing_goes_back_asleep() -> None:
    scene = _after_the_switch(symptoms=(_symptom(),))
    asleep = dataclasses.replace(scene.asked, replicas=0)
    assert bake.flip_back(dataclasses.replace(scene, asked=asleep).situation).actions == ()


@pytest.mark.parametrize(
    ("scene", "seconds"),
    [
        pytest.param(_after_the_switch(answers=observed.Answers(0, 5)), 2, id="soon when the pods have told"),
        pytest.param(_after_the_switch(), 5, id="a little later when they have not"),
        pytest.param(_after_the_switch(seconds_ago=57), 3, id="at the end of the bake at the latest"),
    ],
)
def test_what_the_pods_answer_is_asked_again(scene: Scene, seconds: float) -> None:
    assert bake.flip_back(scene.situation).look_again == ahead(seconds)


@pytest.mark.parametrize(
    ("scene", "of"),
    [
        pytest.param(_after_the_switch(), "v2", id="of the new version while it is watched"),
        pytest.param(_after_the_switch(seconds_ago=60), None, id="of nobody when the bake is over"),
        pytest.param(_after_the_switch(old=0), None, id="of nobody when there is no way back"),
        pytest.param(a_model(asking="v2", bake=60).with_live("v2"), None, id="of nobody without a switch"),
        pytest.param(a_model(), None, id="of nobody where nothing is"),
        pytest.param(
            dataclasses.replace(_after_the_switch(), asked=a_model(asking="v2", bake=60, replicas=0).asked),
            None,
            id="of nobody asleep",
        ),
    ],
)
def test_pods_are_asked_what_they_answer(scene: Scene, of: str | None) -> None:
    assert inquiry.questions(scene.situation).answers_of == of


def test_a_version_that_failed_is_told_as_rejected_while_the_old_one_serves() -> None:
    verdict = a_verdict(REASON.CRASHED_AFTER_SWITCH, retry_token="once")
    scene = a_model(asking="v2", bake=60, retry_token="once").with_live("v1")
    scene = scene.with_revision("v2", desired=0, rejected=verdict).switched("v2", seconds_ago=3, back=True)
    assert scene.actions == ()
    assert scene.plan.status.step is STEP.REJECTED


@pytest.mark.parametrize(
    ("watched_for", "ends"),
    [
        pytest.param(None, 40, id="nobody says since when it watches"),
        pytest.param(900, 40, id="the operator was there at the switch"),
        pytest.param(15, 40, id="the operator came right after the switch"),
        pytest.param(0, 40, id="the operator came a moment ago, and has time enough"),
    ],
)
def test_the_bake_ends(watched_for: float | None, ends: float) -> None:
    since = ago(watched_for) if watched_for is not None else None
    scene = dataclasses.replace(_after_the_switch(), watched_since=since)
    assert bake.ends_at(scene.situation) == ahead(ends)


def test_an_operator_that_comes_when_the_time_is_over_watches_for_a_while_itself() -> None:
    scene = dataclasses.replace(_after_the_switch(seconds_ago=9000), watched_since=ago(4))
    assert bake.ends_at(scene.situation) == ahead(26)
    assert scene.actions == ()
    failing = _after_the_switch(seconds_ago=9000, symptoms=(_symptom(seconds_ago=8000),))
    assert dataclasses.replace(failing, watched_since=ago(4)).actions[-1:] == (BACK,)


def test_a_bake_that_is_shorter_than_that_is_no_reason_to_watch_for_less() -> None:
    short = a_model(asking="v2", bake=10).with_revision("v1", ready=1, promoted_at=ago(9000))
    scene = short.with_live("v2").switched("v1", seconds_ago=9)
    assert bake.ends_at(scene.situation) == ahead(1)
    assert bake.ends_at(dataclasses.replace(scene, watched_since=ago(4)).situation) == ahead(26)


def test_without_a_bake_nothing_is_watched() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1, promoted_at=ago(9000))
    scene = scene.with_live("v2", symptoms=(_symptom(),)).switched("v1", seconds_ago=2)
    assert scene.actions == ()
