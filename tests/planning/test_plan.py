"""The order of the policies, and the words of their actions."""

import pytest

from slipway_operator.planning import actions
from tests.planning.situations import NOW, a_model, a_verdict, ago, ahead


def test_a_policy_that_acts_is_the_last_to_be_asked() -> None:
    scene = a_model(asking="v2", history_limit=0).with_live("v1").with_retired("v0").with_retired("v2")
    assert [type(action) for action in scene.actions] == [actions.StartAttempt, actions.Scale]


def test_what_is_due_to_standing_revisions_does_not_wait_for_the_rollout() -> None:
    scene = a_model(asking="v3", replicas=2).with_live("v1", desired=3).with_revision("v2")
    wanted = (
        actions.Scale("v1", 2),
        actions.Scale("v2", 0),
        actions.CreateDeployment("v3", 2, NOW),
    )
    assert scene.actions == wanted


def test_the_earliest_alarm_counts() -> None:
    scene = a_model(asking="v3").with_revision("v1", ready=1, promoted_at=ago(900)).with_live("v2")
    scene = scene.switched("v1", seconds_ago=20).with_revision("v3")
    assert scene.plan.look_again == ahead(40)


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (actions.CreateDeployment("v1", 2, NOW), "create the Deployment of revision v1 with 2 replicas"),
        (actions.CreateRevisionService("v1"), "create the Service of revision v1"),
        (actions.CreateTrafficService("v1"), "create the stable Service, selecting revision v1"),
        (actions.SwitchTraffic(None, "v1", NOW, "7"), "move the traffic from revision none to v1"),
        (actions.SwitchTraffic("v1", "v2", NOW, "7"), "move the traffic from revision v1 to v2"),
        (
            actions.WidenTraffic("v1", NOW, "7"),
            "let the Service select all pods of the model, and no longer revision v1 alone",
        ),
        (actions.TakeDown("v1"), "take down revision v1 to recreate the model"),
        (actions.CreatePreviewService("v1"), "create the preview Service, selecting revision v1"),
        (actions.PointPreview("v1", "7"), "point the preview Service at revision v1"),
        (
            actions.SwitchTraffic("v2", "v1", NOW, "7", back=True),
            "move the traffic back from revision v2 to v1",
        ),
        (actions.StartAttempt("v1", 2, NOW, 3), "start attempt 3 of revision v1 with 2 replicas"),
        (actions.MarkPromoted("v1", NOW), "note that revision v1 has the traffic"),
        (
            actions.Reject("v1", a_verdict()),
            "reject revision v1: Unschedulable: 0/2 nodes are available",
        ),
        (
            actions.Release("v1", a_verdict()),
            "let go the pods of revision v1: Unschedulable: 0/2 nodes are available",
        ),
        (actions.Scale("v1", 0), "scale revision v1 to 0 replicas"),
        (
            actions.GiveWay("v1"),
            "take the pods of revision v1, which serves nobody, to make room",
        ),
        (actions.DeleteRevision("v1"), "delete the retired revision v1"),
        (actions.CreateBudget("v1"), "create the PodDisruptionBudget of revision v1"),
        (
            actions.DeleteBudget("v1"),
            "delete the PodDisruptionBudget of revision v1, which has one pod",
        ),
        (
            actions.DeleteBudget("v1", edited=True),
            "delete the PodDisruptionBudget of revision v1, which somebody has edited",
        ),
        (actions.ApplyAccess(), "apply the NetworkPolicy"),
        (actions.DeleteAccess(), "delete the NetworkPolicy"),
        (actions.MarkLentService("7"), "mark the Service that its owner lends"),
        (actions.MendService(""), "put right the stable Service, which somebody has edited"),
        (actions.MendService("v1"), "put right the Service of revision v1, which somebody has edited"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_an_action_reads_as(action: actions.Action, sentence: str) -> None:
    assert str(action) == sentence
