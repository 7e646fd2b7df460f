"""What nobody asks for gives up its pods: the overtaken at once, the predecessor after its warm time."""

import dataclasses

from slipway_operator.planning import actions, retirement
from tests.planning.situations import Scene, a_model, a_verdict, ahead


def _after_a_switch(*, seconds_ago: float, keep_warm: int = 60) -> Scene:
    scene = a_model(asking="v2", keep_warm=keep_warm).with_revision("v1", ready=1, promoted_at=ahead(-9000))
    return scene.with_live("v2").switched("v1", seconds_ago=seconds_ago)


def test_the_predecessor_keeps_its_pods_during_its_warm_time() -> None:
    decided = retirement.retire(_after_a_switch(seconds_ago=59).situation)
    assert decided.actions == ()
    assert decided.look_again == ahead(1)


def test_the_predecessor_gives_up_its_pods_when_its_warm_time_is_over() -> None:
    decided = retirement.retire(_after_a_switch(seconds_ago=60).situation)
    assert decided.actions == (actions.Scale("v1", 0),)


def test_the_predecessor_leaves_at_once_when_none_is_to_be_kept_warm() -> None:
    decided = retirement.retire(_after_a_switch(seconds_ago=0, keep_warm=0).situation)
    assert decided.actions == (actions.Scale("v1", 0),)


def test_the_predecessor_stays_while_the_slices_still_hold_its_pods() -> None:
    scene = _after_a_switch(seconds_ago=90)
    assert scene.service is not None
    mixed = dataclasses.replace(scene.service, ready=frozenset({"v1-0", "v2-0"}), foreign=frozenset({"v1-0"}))
    decided = retirement.retire(dataclasses.replace(scene, service=mixed).situation)
    assert decided.actions == ()


def test_the_predecessor_stays_while_its_successor_has_no_ready_pod() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1, promoted_at=ahead(-9000))
    late = scene.with_live("v2", ready=0).switched("v1", seconds_ago=90)
    decided = retirement.retire(late.situation)
    assert decided.actions == ()
    assert decided.look_again is None, "an alarm in the past would ring for ever"


def test_a_predecessor_whose_promotion_was_never_noted_is_kept_warm_too() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1).with_live("v2").switched("v1", seconds_ago=5)
    assert retirement.retire(scene.situation).actions == ()


def test_what_was_overtaken_before_it_had_the_traffic_gives_up_its_pods_at_once() -> None:
    scene = a_model(asking="v3").with_live("v1").with_revision("v2", ready=1).with_revision("v3")
    assert retirement.retire(scene.situation).actions == (actions.Scale("v2", 0),)


def test_what_still_gets_requests_keeps_its_pods_though_its_promotion_was_never_noted() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1).with_revision("v2", ready=1)
    lagging = frozenset({"v1-0"})
    scene = scene.with_service("v2", ready=lagging, foreign=lagging)
    assert retirement.retire(scene.situation).actions == ()


def test_what_served_before_the_predecessor_leaves_as_soon_as_the_switch_is_confirmed() -> None:
    scene = _after_a_switch(seconds_ago=1).with_revision("v0", ready=1, promoted_at=ahead(-9999))
    assert retirement.retire(scene.situation).actions == (actions.Scale("v0", 0),)


def test_nothing_that_has_ready_pods_leaves_while_there_is_no_stable_service() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1).with_revision("v2").without_service()
    assert retirement.retire(scene.situation).actions == ()


def test_without_a_stable_service_what_has_no_ready_pods_makes_room() -> None:
    scene = a_model(asking="v2").with_revision("v1").with_revision("v2").without_service()
    assert retirement.retire(scene.situation).actions == (actions.Scale("v1", 0),)


def test_bake_and_warm_time_add_up() -> None:
    scene = a_model(asking="v2", bake=30).with_revision("v1", ready=1, promoted_at=ahead(-9000))
    scene = scene.with_live("v2").switched("v1", seconds_ago=20)
    assert retirement.retire(scene.situation).look_again == ahead(70)


def test_a_predecessor_that_was_rejected_is_not_kept_warm() -> None:
    scene = a_model(asking="v2").with_revision("v1", ready=1, rejected=a_verdict(), promoted_at=ahead(-90))
    scene = scene.with_live("v2").switched("v1", seconds_ago=5, back=True)
    assert retirement.retire(scene.situation).actions == (actions.Scale("v1", 0),)


def test_what_has_retired_is_left_alone() -> None:
    scene = a_model().with_live("v1").with_retired("v0")
    assert retirement.retire(scene.situation).actions == ()


def test_hibernation_is_not_retirement() -> None:
    scene = a_model(asking="v2", replicas=0).with_live("v1").with_revision("v3", desired=1)
    assert retirement.retire(scene.situation).actions == ()
