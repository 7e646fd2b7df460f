"""What has long retired is removed, the oldest first, and never more than history allows."""

import pytest

from slipway_operator.planning import actions, history
from tests.planning.situations import AN_HOUR, Scene, a_model, ahead


def _at_rest(*, limit: int) -> Scene:
    scene = a_model(asking="v5", history_limit=limit).with_live("v5")
    for number, hours in ((4, 2), (2, 4), (3, 3)):
        scene = scene.with_retired(f"v{number}", promoted=hours * AN_HOUR)
    return scene


def test_within_the_limit_nothing_is_removed() -> None:
    assert _at_rest(limit=3).actions == ()


def test_beyond_the_limit_the_longest_retired_are_removed() -> None:
    assert _at_rest(limit=1).actions == (actions.DeleteRevision("v3"), actions.DeleteRevision("v2"))


def test_what_never_had_the_traffic_is_removed_before_what_had() -> None:
    scene = _at_rest(limit=3).with_retired("bad", promoted=None, attempt_started_at=ahead(-60))
    assert scene.actions == (actions.DeleteRevision("bad"),)


def test_a_revision_whose_last_pods_are_ending_is_not_removed_yet() -> None:
    scene = a_model(asking="v2", history_limit=0).with_live("v2").with_retired("v1", pods=1)
    assert scene.actions == ()


def test_the_predecessor_is_not_removed_in_its_warm_time() -> None:
    scene = a_model(asking="v2", history_limit=0).with_revision("v1", ready=1, promoted_at=ahead(-900))
    assert scene.with_live("v2").switched("v1", seconds_ago=5).actions == ()


def test_the_rejected_target_is_not_removed() -> None:
    scene = a_model(asking="v2", history_limit=0).with_live("v1").with_retired("v2", promoted=None)
    assert history.trim(scene.situation).actions == ()


def test_nothing_is_removed_while_the_switch_is_not_confirmed() -> None:
    scene = a_model(asking="v2", history_limit=0).with_live("v2", ready=0).with_retired("v1")
    assert scene.actions == ()


def test_nothing_is_removed_while_nothing_is_live() -> None:
    scene = a_model(asking="v2", history_limit=0).with_revision("v2").with_retired("v1").with_service(None)
    assert history.trim(scene.situation).actions == ()


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(a_model(asking="v9").with_live("v1", ready=0, promoted_at=None), id="was never ready"),
        pytest.param(a_model(asking="v9").with_live("v1", ready=0), id="has lost its pods"),
        pytest.param(a_model(asking="v9").with_revision("v1").with_service(None), id="is none of ours"),
    ],
)
def test_what_never_had_the_traffic_is_removed_also_when_the_live_revision(scene: Scene) -> None:
    scene = scene.with_revision("v9").with_retired("served")
    for number in range(5):
        scene = scene.with_retired(f"bad{number}", promoted=None, attempt_started_at=ahead(number - 90))
    gone = [a.revision for a in scene.actions if isinstance(a, actions.DeleteRevision)]
    assert gone == ["bad3", "bad2", "bad1", "bad0"]


def test_history_is_trimmed_also_asleep() -> None:
    scene = a_model(asking="v2", replicas=0, history_limit=0).with_live("v2", ready=0).with_retired("v1")
    assert scene.actions == (actions.DeleteRevision("v1"),)
