"""Recreate: the old version leaves first, where that is allowed, and comes back when the new one fails."""

from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import target
from slipway_operator.planning import actions, failure
from tests.planning.situations import NOW, Scene, a_model, a_verdict

STEP, RECREATE = reasons.RolloutStep, target.Strategy.RECREATE


def _asking(version: str = "v2", **fields: Any) -> Scene:
    return a_model(asking=version, strategy=RECREATE, **({"allow_downtime": True} | fields))


def test_the_old_version_leaves_before_the_new_one_has_a_pod() -> None:
    assert _asking().with_live("v1").actions == (actions.TakeDown("v1"),)


def test_the_new_version_waits_until_the_last_old_pod_has_gone() -> None:
    assert _asking().with_live("v1", ready=0, desired=0, pods=1).actions == ()


def test_the_new_version_comes_when_the_old_one_has_gone() -> None:
    scene = _asking().with_live("v1", ready=0, desired=0, pods=0)
    assert scene.actions == (actions.CreateDeployment("v2", 1, NOW),)


def test_the_requests_move_to_the_first_ready_pod() -> None:
    scene = _asking().with_live("v1", ready=0, desired=0, pods=0).with_revision("v2", ready=1)
    assert actions.SwitchTraffic("v1", "v2", NOW, "7") in scene.actions


@pytest.mark.parametrize("verdict", ["rejected", "released"])
def test_the_old_version_comes_back_when_the_new_one_has_failed(verdict: str) -> None:
    ended: dict[str, Any] = {verdict: a_verdict(seconds_ago=9000)}
    scene = _asking().with_live("v1", ready=0, desired=0, pods=0)
    failed = scene.with_revision("v2", desired=0, pods=0, **ended)
    assert failed.actions == (actions.Scale("v1", 1),)
    assert failed.plan.look_again is None
    assert "set spec.rollout.retryToken to try it again" in failed.plan.status.message


def test_another_outage_takes_the_users_word() -> None:
    scene = _asking(retry_token="now").with_live("v1")
    again = scene.with_revision("v2", desired=0, pods=0, released=a_verdict())
    assert again.situation.target is not None
    assert failure.may_try_again(again.situation, again.situation.target)
    assert again.actions == (actions.TakeDown("v1"),)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(_asking(allow_downtime=False).with_live("v1"), id="no outage is allowed"),
        pytest.param(_asking(paused=True).with_live("v1"), id="paused"),
        pytest.param(_asking(manual=True).with_live("v1"), id="nobody has promoted it"),
        pytest.param(_asking("v1").with_live("v1"), id="nothing else is asked for"),
        pytest.param(_asking().with_retired("v1").with_service(None), id="nothing is live"),
    ],
)
def test_nothing_is_taken_down_when(scene: Scene) -> None:
    assert not any(isinstance(action, actions.TakeDown) for action in scene.actions)


def test_what_waits_for_the_users_word_says_so_before_it_has_pods() -> None:
    says = _asking(manual=True).with_live("v1").with_revision("v2", desired=0, pods=0).plan.status
    assert says.step is STEP.WAITING_FOR_PROMOTION
    assert "has no pods yet" in says.message


def test_what_may_not_be_created_takes_nothing_down() -> None:
    obstacle = target.Obstacle(reasons.ConditionReason.IMAGE_NOT_ALLOWED, "not on the list")
    assert _asking(obstacle=obstacle).with_live("v1").actions == ()
