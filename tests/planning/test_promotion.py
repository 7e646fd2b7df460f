"""Where promotion is Manual the user has the last word: on one revision, and never on a way back."""

import pytest

from slipway_operator.api import reasons
from slipway_operator.planning import actions, promotion, traffic
from tests.planning.situations import NOW, Scene, a_model, ago, ahead

STEP, REASON = reasons.RolloutStep, reasons.ConditionReason
MOVE = actions.SwitchTraffic("v1", "v2", NOW, "7")


def _ready_and_waiting(*, approved: str = "") -> Scene:
    scene = a_model(asking="v2", manual=True, approved=approved).with_live("v1")
    return scene.with_revision("v2", ready=1).with_preview("v2")


def test_what_has_proved_itself_waits_for_the_users_word() -> None:
    scene = _ready_and_waiting()
    assert traffic.proven(scene.situation)
    assert scene.actions == ()


def test_the_users_word_promotes() -> None:
    assert _ready_and_waiting(approved="v2").actions == (MOVE,)


def test_the_word_is_for_one_revision() -> None:
    assert _ready_and_waiting(approved="v1").actions == ()


def test_it_is_said_what_to_do() -> None:
    says = _ready_and_waiting().plan.status
    assert says.step is STEP.WAITING_FOR_PROMOTION
    assert says.message == (
        "version v2 is ready and can be tried at the preview Service; to promote it, annotate the model with "
        "slipway.dev/promote=v2"
    )


def test_a_version_that_is_not_ready_yet_is_not_said_to_wait_for_a_word() -> None:
    scene = a_model(asking="v2", manual=True).with_live("v1").with_revision("v2")
    assert scene.plan.status.step is STEP.WAITING_FOR_READY_PODS


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            a_model(asking="v2", manual=True)
            .with_revision("v1", promoted_at=None)
            .with_service("v1")
            .with_revision("v2", ready=1),
            id="to take the place of a first version that never came up",
        ),
        pytest.param(
            a_model(asking="v1", manual=True)
            .with_revision("v1", ready=1, promoted_at=ago(900))
            .with_live("v2")
            .switched("v1", seconds_ago=20),
            id="to go back to what was left last",
        ),
        pytest.param(
            a_model(asking="v2", manual=True).with_revision("v2", ready=1).with_service(None),
            id="when the Service selects nothing",
        ),
    ],
)
def test_no_word_is_needed(scene: Scene) -> None:
    assert not promotion.awaited(scene.situation)


def test_a_version_that_has_waited_for_days_and_loses_a_pod_is_not_late_at_once() -> None:
    scene = a_model(asking="v2", replicas=2, manual=True).with_live("v1", ready=2)
    waited = scene.with_revision("v2", ready=1, attempt_started_at=ago(90_000), short_since=ago(10))
    assert waited.actions == (actions.CreatePreviewService("v1"),)
    assert waited.plan.look_again == ahead(590)


def test_a_version_that_has_lost_all_of_its_pods_while_it_waited_is_late() -> None:
    scene = a_model(asking="v2", manual=True).with_live("v1")
    waited = scene.with_revision("v2", attempt_started_at=ago(90_000), short_since=ago(10))
    assert isinstance(waited.actions[0], actions.Release)


def test_a_version_that_has_waited_for_days_is_not_late_while_a_pod_is_about_to_be_made() -> None:
    scene = a_model(asking="v2", replicas=2, manual=True).with_live("v1", ready=2)
    waited = scene.with_revision("v2", ready=1, attempt_started_at=ago(90_000))
    assert waited.actions == (actions.CreatePreviewService("v1"),)
    assert waited.plan.look_again == ahead(600)
