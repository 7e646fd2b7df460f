"""With hands off the operator says what it would do, and does nothing, however much there is to do."""

import dataclasses
import datetime

import pytest
from hypothesis import given

from slipway_operator.api import reasons
from slipway_operator.domain import observed, target
from tests.planning import anything, look
from tests.planning.situations import Scene, a_model, ago

REASON, STEP, TYPE = reasons.ConditionReason, reasons.RolloutStep, reasons.ConditionType
FAILING = (observed.Symptom(observed.Fault.CRASHED, ago(1), "Pod x crashed"),)
PREFIX = "slipway.dev/hands-off is set: nothing is written; "


@pytest.mark.parametrize(
    ("scene", "step", "would"),
    [
        pytest.param(
            a_model().with_live("v1"),
            STEP.COMPLETE,
            "there is nothing to do; version v1 receives the requests",
            id="a model at rest",
        ),
        pytest.param(
            a_model(asking="v2", replicas=2).with_live("v1", ready=2),
            STEP.WAITING_FOR_READY_PODS,
            "it would create the Deployment of revision v2 with 2 replicas; the revision is being created",
            id="a version that is not begun",
        ),
        pytest.param(
            a_model(asking="v2", bake=60)
            .with_revision("v1", ready=1, promoted_at=ago(9000))
            .with_live("v2", symptoms=FAILING)
            .switched("v1", seconds_ago=20),
            STEP.BAKING,
            "move the traffic back from revision v2 to v1; version v2 receives the requests and is watched",
            id="a version that fails, and is not left",
        ),
        pytest.param(
            a_model(history_limit=0)
            .with_live("v1")
            .with_retired("a")
            .with_retired("b")
            .with_retired("c")
            .with_retired("d")
            .with_retired("e")
            .with_retired("f")
            .with_retired("g"),
            STEP.COMPLETE,
            "and 2 more; version v1 receives the requests",
            id="a long history",
        ),
    ],
)
def test_nothing_is_done_and_all_is_said_of(scene: Scene, step: reasons.RolloutStep, would: str) -> None:
    held = dataclasses.replace(scene, asked=dataclasses.replace(scene.asked, hands_off=True))
    assert held.actions == ()
    says = held.plan.status
    assert says.step is step
    assert says.message.startswith(PREFIX)
    assert would in says.message
    assert held.plan.look_again == scene.plan.look_again


def test_the_conditions_say_why_nothing_moves_and_the_truth_about_traffic() -> None:
    scene = a_model(asking="v2", hands_off=True).with_live("v1")
    conditions = {c.type: (c.status, c.reason) for c in scene.plan.status.conditions}
    assert conditions[TYPE.PROGRESSING] == (False, REASON.HANDS_OFF)
    assert conditions[TYPE.RECONCILING] == (True, REASON.HANDS_OFF)
    assert conditions[TYPE.SERVING] == (True, REASON.SERVING)
    assert conditions[TYPE.READY][0] is False


@given(anything.TARGET, anything.OBSERVED, anything.MOMENT)
def test_whatever_is_seen_nothing_is_done(
    asked: target.Target, seen: observed.Observed, now: datetime.datetime
) -> None:
    held = look.at(dataclasses.replace(asked, hands_off=True), seen, now).plan
    free = look.at(dataclasses.replace(asked, hands_off=False), seen, now).plan
    assert held.actions == ()
    assert (held.status.step, held.look_again) == (free.status.step, free.look_again)
    assert (held.status.active, held.status.versions) == (free.status.active, free.status.versions)
