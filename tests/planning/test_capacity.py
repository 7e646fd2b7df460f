"""The live revision has the replicas that are asked for; at zero everything sleeps."""

from slipway_operator.planning import actions, capacity
from tests.planning.situations import a_model


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
