"""The live revision has the replicas that are asked for; at zero everything sleeps."""

import dataclasses
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import fleet, target
from slipway_operator.planning import actions, capacity
from tests.planning.situations import NOW, Scene, a_model, a_verdict


def test_a_live_revision_of_the_right_size_is_left_alone() -> None:
    scene = a_model(replicas=2).with_live("v1", ready=2)
    assert capacity.follow(scene.situation).actions == ()


def test_the_live_revision_follows_more_replicas() -> None:
    scene = a_model(replicas=3).with_live("v1", ready=2, desired=2)
    assert capacity.follow(scene.situation).actions == (actions.Scale("v1", 3),)


def test_the_live_revision_follows_fewer_replicas() -> None:
    scene = a_model(replicas=1).with_live("v1", ready=3, desired=3)
    assert capacity.follow(scene.situation).actions == (actions.Scale("v1", 1),)


def test_the_live_revision_follows_also_while_another_is_coming() -> None:
    scene = a_model(asking="v2", replicas=3).with_live("v1", ready=2, desired=2).with_revision("v2")
    assert capacity.follow(scene.situation).actions == (actions.Scale("v1", 3),)


def raised_with_v2(*, to: int = 3, has: int = 1, beside: int | None = 1, **fields: Any) -> Scene:
    """v1 had one replica when version 2 was asked for, and three at once."""
    scene = a_model(asking="v2", replicas=to).with_live("v1", desired=has)
    usual: dict[str, Any] = {"desired": 3, "latched": 3, "beside": beside}
    return scene.with_revision("v2", **(usual | fields))


def test_more_replicas_that_are_asked_for_with_another_revision_are_that_ones() -> None:
    scene = a_model(asking="v2", replicas=3).with_live("v1", desired=1)
    assert scene.actions == (actions.CreateDeployment("v2", 3, NOW, beside=1),)
    again = scene.with_retired("v2")
    assert again.actions == (actions.StartAttempt("v2", 3, NOW, 1, beside=1), actions.Scale("v2", 3))


@pytest.mark.parametrize(
    ("scene", "wanted"),
    [
        pytest.param(raised_with_v2(), None, id="keeps what it had"),
        pytest.param(raised_with_v2(has=0), 1, id="has it again when somebody took it"),
        pytest.param(raised_with_v2(to=4), 4, id="follows what is raised once more: that is load"),
        pytest.param(raised_with_v2(to=2), None, id="keeps it also when fewer are wanted, but not so few"),
        pytest.param(raised_with_v2(to=1, has=2), 1, id="follows fewer"),
        pytest.param(raised_with_v2(beside=None, latched=1), 3, id="follows what is raised in the attempt"),
        pytest.param(raised_with_v2(rejected=a_verdict()), 3, id="follows when the other one has failed"),
        pytest.param(raised_with_v2(released=a_verdict()), 3, id="follows when the other one found no room"),
    ],
)
def test_while_another_revision_comes_with_more_replicas_the_live_one(
    scene: Scene, wanted: int | None
) -> None:
    expected = () if wanted is None else (actions.Scale("v1", wanted),)
    assert capacity.follow(scene.situation).actions == expected


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"paused": True}, id="a pause"),
        pytest.param(
            {"obstacle": target.Obstacle(reasons.ConditionReason.IMAGE_NOT_ALLOWED, "x")}, id="an obstacle"
        ),
        pytest.param({"strategy": target.Strategy.ROLLING}, id="the turns, which end with all of them"),
    ],
)
def test_the_live_revision_follows_when_the_other_one_is_kept_back_by(fields: dict[str, Any]) -> None:
    scene = a_model(asking="v2", replicas=3, **fields).with_live("v1", desired=1)
    assert capacity.follow(scene.situation).actions == (actions.Scale("v1", 3),)


def test_the_live_revision_follows_while_the_other_one_is_queued() -> None:
    scene = a_model(asking="v2", replicas=3).with_live("v1", desired=1)
    queued = dataclasses.replace(scene, turn=fleet.Place(2, ("default/b",), ("default/a",)))
    assert capacity.follow(queued.situation).actions == (actions.Scale("v1", 3),)


def test_a_coming_revision_is_not_sized_here() -> None:
    scene = a_model(asking="v2", replicas=3).with_live("v1", ready=3).with_revision("v2", desired=1)
    assert capacity.follow(scene.situation).actions == ()


def test_nothing_is_sized_while_the_service_selects_nothing_of_ours() -> None:
    scene = a_model(replicas=3).with_revision("v1", desired=2).with_service(None)
    assert capacity.follow(scene.situation).actions == ()


def test_at_zero_replicas_every_revision_sleeps() -> None:
    scene = a_model(asking="v2", replicas=0).with_live("v1", desired=2).with_revision("v2", desired=2)
    assert capacity.follow(scene.situation).actions == (actions.Scale("v1", 0), actions.Scale("v2", 0))


def test_at_zero_replicas_a_revision_sleeps_also_behind_an_edited_selector() -> None:
    scene = a_model(replicas=0).with_revision("v1", desired=2).with_service(None)
    assert capacity.follow(scene.situation).actions == (actions.Scale("v1", 0),)


def test_what_sleeps_is_left_asleep() -> None:
    scene = a_model(replicas=0).with_live("v1", ready=0).with_retired("v0")
    assert scene.actions == ()


def test_a_model_put_to_sleep_in_mid_rollout_has_a_plan() -> None:
    scene = a_model(asking="v2", replicas=0).with_live("v1", desired=2).with_revision("v2", desired=2)
    assert scene.actions == (actions.Scale("v1", 0), actions.Scale("v2", 0))
