"""The requests go to the revision that has proved itself, and come back when the Service was edited."""

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, traffic
from tests.planning.situations import NOW, Scene, a_model, a_problem, a_verdict, ago, ahead


def _switch(origin: str | None, to: str, *, back: bool = False) -> actions.SwitchTraffic:
    return actions.SwitchTraffic(origin, to, NOW, "7", back)


# -- the gate --


def test_the_traffic_moves_when_enough_pods_have_been_ready_for_long_enough() -> None:
    scene = (
        a_model(asking="v2", replicas=2).with_live("v1", ready=2).with_revision("v2", ready=2, ready_for=5)
    )
    assert scene.actions == (_switch("v1", "v2"),)


def test_pods_that_have_just_become_ready_are_watched_for_a_while() -> None:
    scene = (
        a_model(asking="v2", replicas=2).with_live("v1", ready=2).with_revision("v2", ready=2, ready_for=4)
    )
    assert scene.actions == ()
    assert scene.plan.look_again == ahead(1)


REJECTING = a_problem(observed.Severity.REJECTING, reasons.ConditionReason.GOLDEN_MISMATCH)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            a_model(asking="v2", replicas=2).with_live("v1", ready=2).with_revision("v2", ready=1),
            id="too few are ready",
        ),
        pytest.param(
            a_model(asking="v2", replicas=2).with_live("v1", ready=3).with_revision("v2", ready=2),
            id="fewer are ready than the old version has",
        ),
        pytest.param(
            a_model(asking="v2", replicas=2).with_live("v1", ready=1).with_revision("v2", ready=1),
            id="as many as the ailing old version, but fewer than the attempt began with",
        ),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_revision("v2", ready=1, problems=(REJECTING,)),
            id="one of its pods says that the version is bad",
        ),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_revision("v2", ready=1, rejected=a_verdict()),
            id="it was rejected",
        ),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_revision("v2", ready=1, promoted_at=NOW),
            id="the traffic has had this attempt",
        ),
        pytest.param(a_model(asking="v2").with_live("v1"), id="it does not exist"),
        pytest.param(
            a_model(asking="v2", replicas=0).with_live("v1").with_revision("v2", ready=1, desired=1),
            id="the model is put to sleep",
        ),
    ],
)
def test_the_gate_stays_closed_when(scene: Scene) -> None:
    assert not traffic.gate_open(scene.situation)
    assert not any(isinstance(action, actions.SwitchTraffic) for action in scene.actions)


def test_fewer_replicas_asked_for_are_fewer_pods_needed() -> None:
    scene = a_model(asking="v2", replicas=1).with_live("v1", ready=3)
    assert traffic.gate_open(scene.with_revision("v2", ready=1, latched=3).situation)


def test_any_ready_pod_will_do_when_the_old_version_has_none() -> None:
    scene = a_model(asking="v2", replicas=3).with_live("v1", ready=0)
    assert scene.with_revision("v2", ready=1, ready_for=0).actions == (_switch("v1", "v2"),)


def test_what_served_before_serves_again_when_the_live_version_has_no_ready_pod_and_the_new_one_none() -> (
    None
):
    scene = a_model(asking="v3").with_revision("v1", ready=1, promoted_at=ago(300))
    scene = scene.with_live("v2", ready=0).with_revision("v3")
    assert scene.actions == (_switch("v2", "v1", back=True),)


def test_what_never_had_the_traffic_is_no_rescue() -> None:
    scene = a_model(asking="v3").with_revision("v1", ready=1).with_live("v2", ready=0).with_revision("v3")
    assert not any(isinstance(action, actions.SwitchTraffic) for action in scene.actions)


def test_what_the_stable_slices_show_counts_when_the_old_versions_own_are_gone() -> None:
    scene = a_model(asking="v2", replicas=1).with_revision("v1", promoted_at=ago(900))
    scene = scene.with_service("v1", ready=frozenset({"v1-0", "v1-1"}))
    assert not traffic.gate_open(scene.with_revision("v2", ready=1).situation)


def test_pods_that_are_proven_behind_a_closed_gate_set_no_alarm_in_the_past() -> None:
    scene = a_model(asking="v2").with_retired("v1").with_revision("v2", ready=1, problems=(REJECTING,))
    assert scene.with_service("v1", ready=frozenset({"v2-0"})).plan.look_again is None


def test_going_back_to_the_predecessor_is_noted_as_what_it_is_and_going_there_again_is_not() -> None:
    scene = a_model(asking="v1").with_revision("v1", ready=1, promoted_at=ago(900), attempt_started_at=NOW)
    scene = scene.with_live("v2")
    assert scene.switched("v1", seconds_ago=9).actions == (_switch("v2", "v1", back=True),)
    assert scene.switched("v1", seconds_ago=9, back=True).actions == (_switch("v2", "v1"),)


# -- the note --


def test_a_promotion_is_noted_once_the_slices_confirm_it() -> None:
    scene = (
        a_model(asking="v2").with_revision("v1", ready=1, promoted_at=ago(900)).with_revision("v2", ready=1)
    )
    scene = scene.with_service("v2").switched("v1", seconds_ago=3)
    assert scene.actions == (actions.MarkPromoted("v2", ago(3)),)


def test_a_promotion_is_not_noted_while_the_slices_hold_the_old_versions_pods() -> None:
    scene = (
        a_model(asking="v2").with_revision("v1", ready=1, promoted_at=ago(900)).with_revision("v2", ready=1)
    )
    lagging = frozenset({"v1-0"})
    scene = scene.with_service("v2", ready=lagging, foreign=lagging).switched("v1", seconds_ago=3)
    assert scene.actions == ()


def test_a_promotion_is_noted_no_earlier_than_its_attempt() -> None:
    scene = a_model(asking="v2").with_revision("v2", ready=1, attempt_started_at=ahead(9)).with_service("v2")
    assert scene.actions == (actions.MarkPromoted("v2", ahead(9)),)
    assert scene.switched("v1", seconds_ago=3).actions == (actions.MarkPromoted("v2", ahead(9)),)


def test_a_first_revision_is_noted_when_all_of_its_pods_are_ready() -> None:
    few = a_model(replicas=2).with_revision("v1", ready=1).with_service("v1")
    all_of_them = a_model(replicas=2).with_revision("v1", ready=2).with_service("v1")
    assert few.actions == ()
    assert all_of_them.actions == (actions.MarkPromoted("v1", NOW),)


def test_the_old_versions_promotion_is_noted_before_the_traffic_leaves_it() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1).with_service("v1")
    scene = scene.with_revision("v2", ready=1)
    assert scene.actions == (actions.MarkPromoted("v1", NOW), _switch("v1", "v2"))


def test_a_promotion_that_was_never_confirmed_is_noted_when_the_traffic_leaves_again() -> None:
    scene = (
        a_model(asking="v3").with_revision("v1", ready=1, promoted_at=ago(900)).with_revision("v2", ready=1)
    )
    lagging = frozenset({"v1-0"})
    scene = scene.with_service("v2", ready=lagging, foreign=lagging).switched("v1", seconds_ago=30)
    scene = scene.with_revision("v3", ready=1)
    assert scene.actions == (actions.MarkPromoted("v2", ago(30)), _switch("v2", "v3"))


def test_a_first_revision_that_never_came_up_gets_a_new_attempt_when_it_is_asked_for_again() -> None:
    scene = a_model(asking="v2").with_revision("v1").with_service("v1").with_revision("v2", ready=1)
    assert scene.actions == (actions.MarkPromoted("v1", NOW), _switch("v1", "v2"))


# -- the way back --


def test_the_stable_service_stands_as_soon_as_the_first_deployment_does() -> None:
    scene = a_model().with_revision("v1", has_service=False)
    assert scene.actions == (actions.CreateTrafficService("v1"), actions.CreateRevisionService("v1"))


def test_a_deleted_service_comes_back_on_what_served_last_and_is_ready() -> None:
    scene = a_model(asking="v3").with_revision("v1", ready=1, promoted_at=ago(900))
    scene = scene.with_revision("v2", ready=1, promoted_at=ago(300)).with_revision("v3", ready=1)
    assert actions.CreateTrafficService("v2") in scene.actions


def test_a_deleted_service_comes_back_on_any_ready_revision_rather_than_on_one_without_ready_pods() -> None:
    scene = a_model(asking="v3").with_revision("v1", promoted_at=ago(900)).with_revision("v2", ready=1)
    assert actions.CreateTrafficService("v2") in scene.actions


def test_a_deleted_service_comes_back_on_what_served_last_when_nothing_is_ready() -> None:
    scene = a_model(asking="v3").with_revision("v1", promoted_at=ago(900)).with_revision("v3")
    assert actions.CreateTrafficService("v1") in scene.actions


def test_a_deleted_service_never_comes_back_on_a_rejected_revision() -> None:
    scene = a_model(asking="v2").with_retired("v1").with_revision("v2", ready=1, rejected=a_verdict())
    assert actions.CreateTrafficService("v1") in scene.actions


def test_a_deleted_service_comes_back_before_anything_is_judged_or_tried() -> None:
    scene = a_model().with_revision("v1", ready=2, promoted_at=NOW, problems=(REJECTING,))
    assert scene.actions == (actions.CreateTrafficService("v1"),)


def test_an_edited_selector_is_set_right_before_anything_is_judged() -> None:
    scene = a_model(replicas=2).with_revision("v1", ready=1, problems=(REJECTING,)).with_service(None)
    assert scene.actions == (_switch(None, "v1"),)


def test_a_selector_on_a_deleted_deployment_moves_to_what_is_ready() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1, promoted_at=ago(9)).with_service("gone")
    assert scene.actions == (_switch("gone", "v1"),)


def test_an_edited_selector_waits_for_a_ready_pod() -> None:
    assert a_model().with_revision("v1").with_service(None).actions == ()


def test_an_edited_selector_waits_while_the_model_sleeps() -> None:
    scene = a_model(replicas=0).with_revision("v1", ready=1, desired=0, promoted_at=ago(9)).with_service(None)
    assert scene.actions == ()


def test_a_live_deployment_that_was_deleted_is_created_again() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1, promoted_at=ago(900)).with_service("v2")
    assert scene.actions == (actions.CreateDeployment("v2", 1, NOW),)


def test_a_selector_moved_to_another_revision_by_hand_comes_back_by_a_new_attempt() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", ready=1, promoted_at=NOW)
    (start,) = scene.actions
    assert isinstance(start, actions.StartAttempt)
    begun = dataclasses.replace(scene.revisions[1], attempt_started_at=start.at)
    later = dataclasses.replace(scene, revisions=(scene.revisions[0], begun))
    assert later.actions == (_switch("v1", "v2"),)
