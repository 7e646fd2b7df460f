"""A pause stops the rollout and not the model: what serves goes on serving, and goes back if it must."""

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions
from tests.planning.situations import NOW, Scene, a_model, a_problem, a_verdict, ago

STEP, REASON, TYPE = reasons.RolloutStep, reasons.ConditionReason, reasons.ConditionType
WRONG = a_problem(observed.Severity.REJECTING, REASON.GOLDEN_MISMATCH)

PAUSED = a_model(asking="v2", paused=True).with_live("v1")
WARM = a_model(asking="v2", paused=True).with_revision("v1", ready=1, promoted_at=ago(900)).with_live("v2")


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(PAUSED, id="begins"),
        pytest.param(PAUSED.with_revision("v2", ready=1), id="is promoted"),
        pytest.param(PAUSED.with_revision("v2", problems=(WRONG,)), id="is rejected"),
        pytest.param(PAUSED.with_revision("v2", attempt_started_at=ago(900)), id="is released"),
        pytest.param(WARM.switched("v1", seconds_ago=900), id="retires"),
        pytest.param(
            a_model(asking="v2", paused=True, history_limit=0).with_live("v2").with_retired("v1"),
            id="is trimmed",
        ),
        pytest.param(
            a_model(asking="v2", paused=True, manual=True).with_live("v2").with_preview("v1"),
            id="is shown in the preview",
        ),
    ],
)
def test_in_a_pause_nothing(scene: Scene) -> None:
    assert scene.actions == ()


def test_in_a_pause_the_live_version_follows_the_replicas_asked_for() -> None:
    scene = a_model(replicas=3, paused=True).with_live("v1", ready=2, desired=2)
    assert scene.actions == (actions.Scale("v1", 3),)


def test_in_a_pause_a_deleted_service_comes_back() -> None:
    assert PAUSED.without_service().actions == (actions.CreateTrafficService("v1"),)


def test_in_a_pause_what_served_before_serves_again_when_nothing_else_can() -> None:
    scene = a_model(asking="v3", paused=True).with_revision("v1", ready=1, promoted_at=ago(300))
    assert scene.with_live("v2", ready=0).actions == (actions.SwitchTraffic("v2", "v1", NOW, "7", back=True),)


@pytest.mark.parametrize(
    ("scene", "step", "message"),
    [
        pytest.param(PAUSED, STEP.PAUSED, "the revision is being created", id="before it begins"),
        pytest.param(
            PAUSED.with_revision("v2"),
            STEP.PAUSED,
            "0 of 1 pods of version v2 are ready",
            id="while it warms up",
        ),
        pytest.param(
            WARM.switched("v1", seconds_ago=20),
            STEP.PAUSED,
            "version v1 keeps its pods until 12:00:40Z",
            id="while the old version is warm",
        ),
    ],
)
def test_a_pause_is_told(scene: Scene, step: reasons.RolloutStep, message: str) -> None:
    says = scene.plan.status
    assert (says.step, says.message) == (step, f"spec.rollout.paused is true; {message}")
    held = {c.type for c in says.conditions if c.status}
    assert TYPE.RECONCILING in held
    assert TYPE.STALLED not in held


@pytest.mark.parametrize(
    ("scene", "step"),
    [
        pytest.param(a_model(paused=True).with_live("v1"), STEP.COMPLETE, id="nothing is left to do"),
        pytest.param(
            PAUSED.with_revision("v2", problems=(WRONG,)), STEP.REJECTED, id="the new version is bad"
        ),
        pytest.param(
            a_model(paused=True).with_live("v1", ready=0),
            STEP.WAITING_FOR_READY_PODS,
            id="the live version has lost its pods",
        ),
    ],
)
def test_a_pause_hides_nothing(scene: Scene, step: reasons.RolloutStep) -> None:
    assert scene.plan.status.step is step


def test_what_was_let_go_is_not_said_to_be_tried_again_while_a_pause_forbids_it() -> None:
    released = a_verdict(seconds_ago=9000)
    scene = a_model(asking="v2", paused=True).with_live("v1")
    scene = scene.with_revision("v2", desired=0, released=released)
    assert scene.actions == ()
    assert scene.plan.status.message.endswith("; tried again when spec.rollout.paused is false")
