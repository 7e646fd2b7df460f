"""A version that answers more slowly than what served before is told of, once, and keeps the requests."""

import dataclasses
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, happenings, inquiry, slowness
from tests.planning.situations import Scene, a_model, ago

TOLD = actions.NoteSlowness(
    "v2", "version v2 takes 25.0 ms an answer, version v1 took 10.0 ms; it keeps the requests"
)


def _pace(milliseconds: float, *, answers: int = 20) -> observed.Pace:
    return observed.Pace(answers, answers * milliseconds / 1000)


def _watched(
    *, new: observed.Pace, old: observed.Pace, ready: int = 1, seconds_ago: float = 20, **fields: Any
) -> Scene:
    scene = a_model(asking="v2", bake=60).with_revision(
        "v1", ready=ready, desired=1, promoted_at=ago(9000), pace=old
    )
    return scene.with_live("v2", pace=new, **fields).switched("v1", seconds_ago=seconds_ago)


SLOW = _watched(new=_pace(25), old=_pace(10))


def test_a_slower_version_is_told_of_and_keeps_the_requests() -> None:
    assert SLOW.actions == (TOLD,)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(_watched(new=_pace(20), old=_pace(10)), id="twice as long"),
        pytest.param(_watched(new=_pace(6), old=_pace(0)), id="the old one took no time at all"),
    ],
)
def test_slower_is(scene: Scene) -> None:
    assert slowness.warn(scene.situation).actions


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(_watched(new=_pace(10), old=_pace(10)), id="as fast as before"),
        pytest.param(_watched(new=_pace(19), old=_pace(10)), id="not twice as long"),
        pytest.param(_watched(new=_pace(5), old=_pace(1)), id="a few milliseconds more"),
        pytest.param(_watched(new=_pace(25, answers=19), old=_pace(10)), id="the new one answered too few"),
        pytest.param(_watched(new=_pace(25), old=_pace(10, answers=19)), id="the old one answered too few"),
        pytest.param(_watched(new=observed.Pace(), old=_pace(10)), id="the new one cannot be asked"),
        pytest.param(_watched(new=_pace(25), old=observed.Pace()), id="the old one cannot be asked"),
        pytest.param(_watched(new=_pace(25), old=_pace(10), slower="so it is"), id="it has been told"),
        pytest.param(_watched(new=_pace(25), old=_pace(10), seconds_ago=60), id="the bake is over"),
        pytest.param(_watched(new=_pace(25), old=_pace(10), ready=0), id="nothing is ready beside it"),
        pytest.param(a_model().with_live("v1", pace=_pace(25)), id="it came after nothing"),
        pytest.param(a_model(), id="nothing is there"),
    ],
)
def test_nothing_is_told_when(scene: Scene) -> None:
    assert slowness.warn(scene.situation).actions == ()


def test_nothing_new_is_noted_in_a_pause() -> None:
    paused = dataclasses.replace(SLOW, asked=dataclasses.replace(SLOW.asked, paused=True))
    assert paused.actions == ()


def test_it_is_told_as_a_warning() -> None:
    told = happenings.of_action(TOLD, SLOW.plan.status)
    assert told is not None
    assert (told.reason, told.note, told.warning) == (
        reasons.EventReason.SLOWER_AFTER_SWITCH,
        TOLD.message,
        True,
    )


def test_the_list_of_versions_shows_it_and_the_rollout_goes_on() -> None:
    says = _watched(new=_pace(25), old=_pace(10), slower="so it is").plan.status
    assert {v.version: v.reason for v in says.versions} == {"v2": "SlowerAfterSwitch", "v1": ""}
    assert says.step is reasons.RolloutStep.BAKING


@pytest.mark.parametrize(
    ("scene", "of"),
    [
        pytest.param(SLOW, "v1", id="while the new version is watched"),
        pytest.param(
            _watched(new=_pace(25), old=_pace(10), slower="so it is"), None, id="not when it is told"
        ),
        pytest.param(a_model().with_live("v1"), None, id="not at rest"),
        pytest.param(a_model(), None, id="not where nothing is"),
    ],
)
def test_what_served_before_is_asked_for_its_pace(scene: Scene, of: str | None) -> None:
    assert inquiry.questions(scene.situation).pace_of == of
