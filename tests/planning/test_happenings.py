"""What is told as an Event: what people want to know, once."""

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.domain.happening import Happening
from slipway_operator.planning import actions, happenings
from tests.planning.situations import NOW, Scene, a_model, a_verdict

REASON, STEP = reasons.EventReason, reasons.RolloutStep
WIDENED = "the Service now selects all pods of the model, while those of version v1 are replaced by turns"
COMING = a_model(asking="v2").with_live("v1").with_revision("v2")


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (
            actions.CreateDeployment("v2", 2, NOW),
            Happening(REASON.ROLLOUT_STARTED, "starting 2 pods of version v2 (revision v2)"),
        ),
        (
            actions.StartAttempt("v2", 1, NOW, 1),
            Happening(REASON.ROLLOUT_STARTED, "attempt 1 of version v2 (revision v2)"),
        ),
        (
            actions.StartAttempt("v2", 1, NOW, 2),
            Happening(REASON.ROLLOUT_RETRIED, "attempt 2 of version v2 (revision v2)"),
        ),
        (
            actions.SwitchTraffic("v1", "v2", NOW, "7"),
            Happening(
                REASON.TRAFFIC_SWITCHED,
                "the Service now selects version v2 (revision v2); before: version v1",
            ),
        ),
        (
            actions.SwitchTraffic(None, "unknown", NOW, "7"),
            Happening(
                REASON.TRAFFIC_SWITCHED,
                "the Service now selects version unknown (revision unknown); before: none of its versions",
            ),
        ),
        (
            actions.SwitchTraffic("v2", "v1", NOW, "7", back=True),
            Happening(
                REASON.TRAFFIC_WENT_BACK,
                "the Service selects version v1 (revision v1) again, and no longer version v2",
            ),
        ),
        (
            actions.Reject("v2", a_verdict(reasons.ConditionReason.CRASH_LOOP)),
            Happening(REASON.ROLLOUT_REJECTED, "CrashLoop: 0/2 nodes are available", warning=True),
        ),
        (
            actions.Release("v2", a_verdict()),
            Happening(REASON.ROLLOUT_BLOCKED, "Unschedulable: 0/2 nodes are available", warning=True),
        ),
        (
            actions.WidenTraffic("v1", NOW, "7"),
            Happening(
                REASON.TRAFFIC_SWITCHED,
                WIDENED,
            ),
        ),
        (
            actions.MarkLentService("7"),
            Happening(
                REASON.SERVICE_LENT,
                "the Service is lent by its owner: it moves when enough pods have proved themselves",
            ),
        ),
        (
            actions.TakeDown("v1"),
            Happening(
                REASON.REVISION_RETIRED,
                "version v1 is taken down: its successor comes when it has gone",
            ),
        ),
        (
            actions.GiveWay("v1"),
            Happening(
                REASON.REVISION_RETIRED,
                "version v1 never had a ready pod and gives its room to its successor",
            ),
        ),
        (
            actions.NoteSlowness("v2", "version v2 is slow"),
            Happening(REASON.SLOWER_AFTER_SWITCH, "version v2 is slow", warning=True),
        ),
        (
            actions.DeleteRevision("v0"),
            Happening(REASON.REVISION_DELETED, "revision v0 has left the history"),
        ),
        (
            actions.CreateTrafficService("v1", again=True),
            Happening(
                REASON.SERVICE_RESTORED,
                "the Service had been deleted; it is there again and selects version v1",
                warning=True,
            ),
        ),
        (actions.CreateTrafficService("v1"), None),
        (actions.Scale("v1", 0), None),
        (actions.MarkPromoted("v1", NOW), None),
    ],
    ids=str,
)
def test_an_action_is_told_as(action: actions.Action, told: Happening | None) -> None:
    assert happenings.of_action(action, COMING.plan.status) == told


def test_a_target_that_does_not_exist_yet_is_told_by_its_version() -> None:
    told = happenings.of_action(actions.CreateDeployment("v1", 1, NOW), a_model().plan.status)
    assert told is not None
    assert told.note == "starting 1 pods of version v1 (revision v1)"


@pytest.mark.parametrize(
    ("scene", "again"),
    [
        pytest.param(a_model().with_revision("v1"), False, id="a first version has none yet"),
        pytest.param(a_model().with_live("v1").without_service(), True, id="somebody has deleted it"),
    ],
)
def test_a_service_that_comes_back_is_told_apart_from_a_new_one(scene: Scene, again: bool) -> None:  # noqa: FBT001
    made = [action for action in scene.actions if isinstance(action, actions.CreateTrafficService)]
    assert [action.again for action in made] == [again]


STEPS = [
    pytest.param(a_model().with_live("v1"), REASON.ROLLOUT_COMPLETE, False, id="complete"),
    pytest.param(a_model(replicas=0).with_live("v1", ready=0), REASON.HIBERNATED, False, id="asleep"),
    pytest.param(
        a_model(asking="v2").with_live("v1").with_revision("v2", desired=0, released=a_verdict()),
        REASON.ROLLOUT_BLOCKED,
        True,
        id="blocked",
    ),
    pytest.param(
        a_model(asking="v2", manual=True).with_live("v1").with_revision("v2", ready=1),
        REASON.WAITING_FOR_PROMOTION,
        False,
        id="ready, and the user has the last word",
    ),
    pytest.param(
        a_model().with_live("v1").with_somebody_elses("Service", observed.Child.STABLE),
        REASON.NAME_CONFLICT,
        True,
        id="stopped by a name that is taken",
    ),
]


@pytest.mark.parametrize(("scene", "reason", "warning"), STEPS)
def test_a_new_step_is_told_once(scene: Scene, reason: reasons.EventReason, warning: bool) -> None:  # noqa: FBT001
    says = scene.plan.status
    told = happenings.of_step(STEP.WAITING_FOR_READY_PODS, says)
    assert told == Happening(reason, says.message, warning=warning)
    assert happenings.of_step(says.step, says) is None


def test_a_step_on_the_way_is_not_told() -> None:
    assert happenings.of_step(None, COMING.plan.status) is None
