"""The asked-for revision exists, is being tried, and has the pods that it needs to prove itself."""

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import target
from slipway_operator.planning import actions, attempt, decision
from tests.planning.situations import NOW, Scene, a_model, a_verdict, ago, ahead


def _microsecond_later(scene: Scene, seconds: float) -> object:
    return dataclasses.replace(scene, now=ahead(seconds)).situation.now.replace(microsecond=1)


def test_a_first_version_is_created_with_the_replicas_asked_for() -> None:
    assert a_model(replicas=2).actions == (actions.CreateDeployment("v1", 2, NOW),)


def test_a_new_version_starts_with_as_many_pods_as_have_the_traffic() -> None:
    scene = a_model(asking="v2", replicas=2).with_live("v1", ready=4, desired=2)
    assert scene.actions == (actions.CreateDeployment("v2", 4, NOW),)


def test_a_new_version_starts_with_the_replicas_asked_for_when_the_old_one_is_ailing() -> None:
    scene = a_model(asking="v2", replicas=3).with_live("v1", ready=1)
    assert attempt.ensure(scene.situation).actions == (actions.CreateDeployment("v2", 3, NOW),)


def test_a_new_version_waits_while_the_model_sleeps() -> None:
    scene = a_model(asking="v2", replicas=0).with_live("v1", ready=0)
    assert attempt.ensure(scene.situation) == decision.NOTHING


def test_a_first_version_exists_also_asleep() -> None:
    assert a_model(replicas=0).actions == (actions.CreateDeployment("v1", 0, NOW),)


def test_what_may_not_be_created_is_not() -> None:
    obstacle = target.Obstacle(reasons.ConditionReason.IMAGE_NOT_ALLOWED, "the image is not on the list")
    assert a_model(obstacle=obstacle).actions == ()


def test_what_does_not_exist_yet_has_the_size_that_it_will_start_with() -> None:
    scene = a_model(asking="v2", replicas=2).with_live("v1", ready=3)
    assert scene.situation.target_size == scene.situation.first_size == 3


def test_an_attempt_under_way_goes_on() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2")
    assert attempt.ensure(scene.situation) == decision.NOTHING


def test_the_live_revision_needs_no_attempt() -> None:
    assert attempt.ensure(a_model().with_live("v1").situation) == decision.NOTHING


def test_nothing_is_tried_while_the_model_sleeps() -> None:
    scene = a_model(asking="v2", replicas=0).with_live("v1", ready=0).with_retired("v2")
    assert attempt.ensure(scene.situation) == decision.NOTHING


def test_going_back_to_the_warm_predecessor_is_a_new_attempt_of_the_pods_it_has() -> None:
    scene = a_model(asking="v1").with_revision("v1", ready=1, promoted_at=ago(30)).with_live("v2")
    assert attempt.ensure(scene.situation).actions == (actions.StartAttempt("v1", 1, NOW, 1),)


def test_going_back_to_a_retired_revision_starts_its_pods() -> None:
    scene = a_model(asking="v1", replicas=2).with_retired("v1").with_live("v2", ready=2)
    wanted = (actions.StartAttempt("v1", 2, NOW, 1), actions.Scale("v1", 2))
    assert attempt.ensure(scene.situation).actions == wanted


def test_an_attempt_without_pods_starts_anew_and_keeps_its_number() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", desired=0, attempt_number=3)
    wanted = (actions.StartAttempt("v2", 1, NOW, 3), actions.Scale("v2", 1))
    assert attempt.ensure(scene.situation).actions == wanted


@pytest.mark.parametrize("skew", [0, 3600])
def test_a_clock_that_stands_still_or_goes_back_starts_one_attempt_and_not_one_a_look(skew: float) -> None:
    scene = a_model(asking="v1").with_revision("v1", ready=1, promoted_at=ahead(skew)).with_live("v2")
    (start,) = attempt.ensure(scene.situation).actions
    assert isinstance(start, actions.StartAttempt)
    assert start.at == _microsecond_later(scene, skew)


def test_more_replicas_reach_the_coming_revision() -> None:
    scene = a_model(asking="v2", replicas=3).with_live("v1", ready=2, desired=2)
    scene = scene.with_revision("v2", desired=2)
    assert attempt.ensure(scene.situation).actions == (actions.Scale("v2", 3),)


def test_fewer_replicas_reach_the_coming_revision() -> None:
    scene = a_model(asking="v2", replicas=1).with_live("v1", ready=3).with_revision("v2", desired=3)
    assert attempt.ensure(scene.situation).actions == (actions.Scale("v2", 1),)


def test_the_coming_revision_grows_with_the_pods_that_have_the_traffic() -> None:
    scene = a_model(asking="v2", replicas=1).with_live("v1", ready=3).with_revision("v2", desired=1)
    assert attempt.ensure(scene.situation).actions == (actions.Scale("v2", 3),)


def test_the_coming_revision_does_not_shrink_because_the_old_one_is_losing_pods() -> None:
    scene = a_model(asking="v2", replicas=1).with_live("v1", ready=1)
    scene = scene.with_revision("v2", desired=3, latched=1)
    assert attempt.ensure(scene.situation) == decision.NOTHING


def test_a_rejected_revision_stays_rejected() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", desired=0, rejected=a_verdict())
    assert attempt.ensure(scene.situation) == decision.NOTHING


@pytest.mark.parametrize("verdict", ["rejected", "released"])
def test_an_operator_that_died_after_the_verdict_takes_the_pods_afterwards(verdict: str) -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", **{verdict: a_verdict()})  # type: ignore[arg-type]
    assert attempt.ensure(scene.situation).actions == (actions.Scale("v2", 0),)


def test_a_rejected_revision_that_somebody_gave_the_traffic_keeps_its_pods_while_they_get_requests() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", ready=1, rejected=a_verdict())
    lagging = scene.with_service("v1", ready=frozenset({"v2-0"}))
    assert attempt.ensure(lagging.situation) == decision.NOTHING


def test_a_new_retry_token_tries_again_as_the_first_time() -> None:
    scene = a_model(asking="v2", retry_token="please").with_live("v1")
    scene = scene.with_revision("v2", desired=0, rejected=a_verdict(attempts=4))
    wanted = (actions.StartAttempt("v2", 1, NOW, 1), actions.Scale("v2", 1))
    assert attempt.ensure(scene.situation).actions == wanted


def test_a_released_revision_waits_for_its_time() -> None:
    scene = a_model(asking="v2").with_live("v1")
    scene = scene.with_revision("v2", desired=0, released=a_verdict(seconds_ago=60))
    assert attempt.ensure(scene.situation) == decision.wait_until(ahead(540))


def test_a_released_revision_is_tried_again_and_the_attempts_are_counted() -> None:
    scene = a_model(asking="v2").with_live("v1")
    scene = scene.with_revision("v2", desired=0, released=a_verdict(seconds_ago=1200, attempts=2))
    wanted = (actions.StartAttempt("v2", 1, NOW, 3), actions.Scale("v2", 1))
    assert attempt.ensure(scene.situation).actions == wanted
