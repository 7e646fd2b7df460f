"""A successor that finds no room is given that of who serves nobody, and of what is only kept hot."""

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, capacity, retirement, room
from tests.planning.situations import Scene, a_model, a_problem, a_verdict, ago, ahead

SEVERITY, REASON = observed.Severity, reasons.ConditionReason
NO_ROOM = a_problem(SEVERITY.BLOCKING)
NO_QUOTA = a_problem(SEVERITY.BLOCKING, REASON.QUOTA_EXCEEDED)
CRASHED = a_problem(SEVERITY.PASSING, REASON.CRASH_LOOP)


def _a_first_version(*, ready: int = 0, problems: tuple[observed.Problem, ...] = (CRASHED,)) -> Scene:
    """Behind the Service from the start, and overtaken."""
    return a_model(asking="v2").with_revision("v1", ready=ready, problems=problems).with_service("v1")


STUCK = _a_first_version().with_revision("v2", problems=(NO_ROOM,))


@pytest.mark.parametrize("problem", [NO_ROOM, NO_QUOTA], ids=["on any node", "in the quota"])
def test_a_first_version_that_never_came_up_gives_way_to_a_successor_without_room(
    problem: observed.Problem,
) -> None:
    scene = _a_first_version().with_revision("v2", problems=(problem,))
    assert scene.actions == (actions.GiveWay("v1"),)


def test_a_first_version_with_which_nothing_is_wrong_yet_has_its_time() -> None:
    starting = _a_first_version(problems=()).with_revision("v2", problems=(NO_ROOM,))
    assert room.make(starting.situation).look_again == ahead(540)
    late = dataclasses.replace(starting, now=ahead(540))
    assert room.make(late.situation).actions == (actions.GiveWay("v1"),)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(_a_first_version(), id="its successor does not exist yet"),
        pytest.param(_a_first_version().with_revision("v2", problems=(CRASHED,)), id="nobody needs its room"),
        pytest.param(
            _a_first_version().with_revision("v2", desired=0, problems=(NO_ROOM,), released=a_verdict()),
            id="its successor was released",
        ),
        pytest.param(_a_first_version(ready=1).with_revision("v2", problems=(NO_ROOM,)), id="it serves"),
        pytest.param(
            a_model(asking="v2").with_live("v1", ready=0).with_revision("v2", problems=(NO_ROOM,)),
            id="it has served",
        ),
        pytest.param(STUCK.switched("v0", seconds_ago=9), id="the traffic was moved to it"),
        pytest.param(
            dataclasses.replace(STUCK, asked=dataclasses.replace(STUCK.asked, paused=True)), id="paused"
        ),
    ],
)
def test_a_live_version_keeps_its_pods_when(scene: Scene) -> None:
    assert not any(isinstance(action, actions.GiveWay) for action in scene.actions)


def test_what_has_given_way_does_not_take_its_room_back() -> None:
    scene = a_model(asking="v2").with_retired("v1", promoted=None).with_service("v1").with_revision("v2")
    assert capacity.follow(scene.situation).actions == ()


def test_what_has_given_way_comes_back_when_it_is_asked_for_again() -> None:
    scene = a_model(asking="v1").with_retired("v1", promoted=None).with_service("v1")
    assert capacity.follow(scene.situation).actions == (actions.Scale("v1", 1),)


def _a_third_version_in_the_bake(**fields: object) -> Scene:
    scene = a_model(asking="v3", bake=60).with_revision("v1", ready=1, promoted_at=ago(900))
    scene = scene.with_live("v2", **fields).switched("v1", seconds_ago=5)  # type: ignore[arg-type]
    return scene.with_revision("v3", problems=(NO_ROOM,))


def test_what_is_kept_hot_gives_its_room_to_a_third_version() -> None:
    decided = retirement.retire(_a_third_version_in_the_bake().situation)
    assert decided.actions == (actions.Scale("v1", 0),)


def test_nobody_leaves_while_the_requests_go_back() -> None:
    crash = observed.Symptom(observed.Fault.CRASHED, ago(1), "Pod x crashed")
    scene = _a_third_version_in_the_bake(symptoms=(crash,))
    assert [type(action) for action in scene.actions] == [actions.Reject, actions.SwitchTraffic]
