"""Pods are replaced by turns: one more, one less, never too many and never too few, and back the same way."""

import dataclasses
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed, target
from slipway_operator.planning import actions, rolling
from tests.planning.situations import AN_HOUR, NOW, Scene, a_model, a_problem, a_verdict, ago, ahead

STEP, REASON, SEVERITY = reasons.RolloutStep, reasons.ConditionReason, observed.Severity
ROLLING = target.Strategy.ROLLING
WRONG = a_problem(SEVERITY.REJECTING, REASON.GOLDEN_MISMATCH)
TURNS = (
    "1 of 2 pods of version v2 are ready, and 1 of other versions; "
    "there is no bake, and no way back but by turns"
)
NO_TURN = (
    "version v2 cannot come by turns: spec.rollout.maxSurge is 0, and none of 1 pods may be missing; "
    "version v1 keeps them meanwhile: make room for one more and set maxSurge, or set allowDowntime"
)
NONE_YET: dict[str, Any] = {"desired": 0, "pods": 0}


def _asking(
    version: str = "v2", *, replicas: int = 2, surge: int = 1, missing: int = 0, **fields: Any
) -> Scene:
    rules: dict[str, Any] = {"strategy": ROLLING, "max_surge": surge, "max_unavailable": missing}
    return a_model(asking=version, replicas=replicas, **rules, **fields)


def _turning(
    old: int, new: int, *, ready: int | None = None, going: int = 0, version: str = "v2", **rules: Any
) -> Scene:
    """`old` pods of v1 and `new` of v2, of which `ready` are ready; `going` of v1 are still ending."""
    scene = _asking(version, **rules).with_revision(
        "v1",
        ready=old,
        desired=old,
        pods=old + going,
        promoted_at=ago(AN_HOUR),
        attempt_started_at=ago(2 * AN_HOUR),
    )
    proven = new if ready is None else ready
    return scene.with_revision("v2", ready=proven, desired=new, pods=new).widened("v1")


# -- the beginning --


def test_the_new_version_exists_before_it_has_a_pod() -> None:
    assert _asking().with_live("v1", ready=2).actions == (actions.CreateDeployment("v2", 0, NOW),)


def test_the_selector_widens_when_no_third_version_has_pods() -> None:
    scene = _asking().with_live("v1", ready=2).with_revision("v2", **NONE_YET)
    assert scene.actions == (actions.WidenTraffic("v1", NOW, "7"),)
    third = scene.with_revision("v0", desired=0, pods=1, promoted_at=ago(9000))
    assert third.actions == ()


def test_an_earlier_version_begins_another_attempt() -> None:
    scene = _asking().with_live("v1", ready=2).with_retired("v2")
    assert scene.actions == (actions.StartAttempt("v2", 0, NOW, 1),)


def test_a_version_that_was_rejected_does_not_begin() -> None:
    scene = _asking().with_live("v1", ready=2).with_revision("v2", rejected=a_verdict(), **NONE_YET)
    assert scene.actions == ()


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(_asking(manual=True).with_live("v1", ready=2), id="nobody has promoted it"),
        pytest.param(_asking(replicas=1, surge=0, missing=1).with_live("v1"), id="no turn is possible"),
        pytest.param(_asking(paused=True).with_live("v1", ready=2), id="paused"),
        pytest.param(_asking(replicas=0).with_live("v1", ready=0, desired=0, pods=0), id="asleep"),
    ],
)
def test_nothing_begins_when(scene: Scene) -> None:
    turns = (actions.WidenTraffic, actions.CreateDeployment)
    assert not any(isinstance(action, turns) for action in scene.actions)


def test_a_first_version_that_never_came_up_is_overtaken_as_without_turns() -> None:
    scene = _asking().with_revision("v1").with_service("v1")
    assert scene.actions == (actions.CreateDeployment("v2", 2, NOW),)


# -- the turns --


@pytest.mark.parametrize(
    ("scene", "wanted"),
    [
        pytest.param(_turning(2, 0), actions.Scale("v2", 1), id="a pod more is allowed"),
        pytest.param(_turning(2, 1, ready=0), None, id="the new pod is not ready yet"),
        pytest.param(_turning(2, 1), actions.Scale("v1", 1), id="the new pod is ready: one less"),
        pytest.param(_turning(1, 1, going=1), None, id="the old pod has not gone yet"),
        pytest.param(_turning(1, 1), actions.Scale("v2", 2), id="it has gone: one more"),
        pytest.param(_turning(1, 2), actions.Scale("v1", 0), id="the last one less"),
        pytest.param(_turning(0, 2, going=1), None, id="the last one is still ending"),
        pytest.param(
            _turning(0, 2), actions.SwitchTraffic("v1", "v2", NOW, "7"), id="one version alone has pods"
        ),
        pytest.param(_turning(2, 0, surge=0, missing=1), actions.Scale("v1", 1), id="one may be missing"),
        pytest.param(_turning(1, 0, surge=0, missing=1, going=1), None, id="its GPU is not free yet"),
        pytest.param(_turning(1, 0, surge=0, missing=1), actions.Scale("v2", 1), id="its GPU is free"),
        pytest.param(_turning(1, 1, ready=0, surge=0, missing=1), None, id="no other may be missing"),
        pytest.param(
            _turning(1, 0, surge=0, missing=1, replicas=1, allow_downtime=True),
            actions.Scale("v1", 0),
            id="the only one may be missing",
        ),
        pytest.param(_turning(0, 1), actions.Scale("v2", 2), id="the old version is gone: all the rest"),
        pytest.param(_turning(1, 3, replicas=2), actions.Scale("v2", 2), id="fewer replicas are asked for"),
        pytest.param(_turning(0, 2, ready=1), None, id="one of the last is not ready"),
        pytest.param(
            _turning(1, 2, version="v1"), actions.StartAttempt("v1", 1, NOW, 1), id="back, at any point"
        ),
    ],
)
def test_the_turn_when(scene: Scene, wanted: actions.Action | None) -> None:
    assert rolling.roll(scene.situation).actions == ((wanted,) if wanted else ())


def test_what_does_not_answer_leaves_first() -> None:
    scene = _turning(2, 1, surge=2)
    ailing = dataclasses.replace(scene.revisions[0], ready=scene.revisions[0].ready[:1], desired=3, pods=3)
    assert rolling.roll(
        dataclasses.replace(scene, revisions=(ailing, scene.revisions[1])).situation
    ).actions == (actions.Scale("v1", 2),)


def test_a_new_pod_is_looked_at_again_when_it_has_proved_itself() -> None:
    scene = _turning(2, 1)
    young = dataclasses.replace(scene.revisions[1], ready=(observed.ReadyPod("v2-0", ago(2)),))
    later = dataclasses.replace(scene, revisions=(scene.revisions[0], young))
    assert rolling.roll(later.situation) == dataclasses.replace(
        rolling.roll(later.situation), look_again=ahead(3)
    )


def test_a_third_version_in_mid_turn_is_created_and_becomes_the_goal() -> None:
    scene = _turning(1, 1, version="v3")
    assert rolling.roll(scene.situation).actions == (actions.CreateDeployment("v3", 0, NOW),)
    wanted = rolling.roll(scene.with_revision("v3", **NONE_YET).widened("v1").situation).actions
    assert wanted == (actions.Scale("v3", 1),)


def test_what_may_not_be_created_leads_back() -> None:
    obstacle = target.Obstacle(REASON.IMAGE_NOT_ALLOWED, "not on the list")
    scene = _turning(1, 1, version="v3", obstacle=obstacle)
    assert rolling.roll(scene.situation).actions == (actions.Scale("v1", 2),)


# -- the way back --


def test_a_bad_version_is_rejected_and_the_turns_lead_back() -> None:
    scene = _turning(1, 1, ready=0)
    bad = dataclasses.replace(scene.revisions[1], problems=(WRONG,))
    (rejected,) = rolling.roll(
        dataclasses.replace(scene, revisions=(scene.revisions[0], bad)).situation
    ).actions
    assert isinstance(rejected, actions.Reject)
    judged = dataclasses.replace(bad, rejected=a_verdict())
    back = dataclasses.replace(scene, revisions=(scene.revisions[0], judged))
    assert rolling.roll(back.situation).actions == (actions.Scale("v1", 2),)


def test_back_on_what_served_the_move_is_noted_as_one_back() -> None:
    scene = _asking().with_revision("v1", ready=2, promoted_at=ago(AN_HOUR))
    ended = scene.with_revision("v2", rejected=a_verdict(), **NONE_YET).widened("v1")
    assert rolling.roll(ended.situation).actions == (actions.SwitchTraffic(None, "v1", NOW, "7", back=True),)


def test_a_pod_that_takes_too_long_ends_the_attempt_and_waiting_for_a_turn_does_not() -> None:
    late: dict[str, Any] = {"attempt_started_at": ago(9000), "short_since": ago(600)}
    scene = _asking().with_revision("v1", ready=2, promoted_at=ago(AN_HOUR))
    (released,) = rolling.roll(scene.with_revision("v2", desired=1, **late).widened("v1").situation).actions
    assert isinstance(released, actions.Release)
    waiting = scene.with_revision("v2", attempt_started_at=ago(9000), **NONE_YET).widened("v1")
    assert rolling.roll(waiting.situation).actions == (actions.Scale("v2", 1),)


def test_a_pod_that_is_about_to_be_made_is_not_late() -> None:
    scene = _turning(2, 2, ready=1, replicas=3)
    waiting = dataclasses.replace(scene.revisions[1], pods=1, attempt_started_at=ago(9000))
    decided = rolling.roll(dataclasses.replace(scene, revisions=(scene.revisions[0], waiting)).situation)
    assert (decided.actions, decided.look_again) == ((), None)


def test_a_pod_that_was_made_a_while_ago_has_the_rest_of_its_time() -> None:
    scene = _turning(2, 2, ready=1, replicas=3)
    starting = dataclasses.replace(scene.revisions[1], attempt_started_at=ago(9000), short_since=ago(60))
    decided = rolling.roll(dataclasses.replace(scene, revisions=(scene.revisions[0], starting)).situation)
    assert (decided.actions, decided.look_again) == ((), ahead(540))


def test_a_version_that_was_released_is_tried_again_later() -> None:
    scene = _asking().with_revision("v1", ready=1, desired=2, promoted_at=ago(AN_HOUR))
    back = scene.with_revision("v2", released=a_verdict(seconds_ago=60), **NONE_YET).widened("v1")
    assert rolling.roll(back.situation).look_again == ahead(540)
    again = scene.with_revision("v2", released=a_verdict(seconds_ago=600), **NONE_YET).widened("v1")
    assert rolling.roll(again.situation).actions == (actions.StartAttempt("v2", 0, NOW, 2),)


def test_without_anything_else_there_is_nowhere_to_go() -> None:
    alone = _asking("v3", obstacle=target.Obstacle(REASON.IMAGE_NOT_ALLOWED, "no")).widened(None)
    assert rolling.roll(alone.situation).actions == ()


def test_asleep_or_without_a_service_nothing_turns() -> None:
    assert rolling.roll(_turning(1, 1, replicas=0).situation).actions == ()
    assert rolling.roll(_turning(1, 1).without_service().situation).actions == ()


# -- what is said --


@pytest.mark.parametrize(
    ("scene", "step", "message"),
    [
        pytest.param(
            _turning(1, 1),
            STEP.ROLLING,
            TURNS,
            id="turns are taken",
        ),
        pytest.param(
            _asking(replicas=1, surge=0, missing=1).with_live("v1"),
            STEP.BLOCKED,
            NO_TURN,
            id="no turn is possible",
        ),
    ],
)
def test_it_is_told_when(scene: Scene, step: reasons.RolloutStep, message: str) -> None:
    assert (scene.plan.status.step, scene.plan.status.message) == (step, message)


def _with_a_third(**third: Any) -> Scene:
    """v2 has the traffic since 10 s, v1 is the third version, and v3 is to come."""
    scene = _asking("v3", bake=20, keep_warm=60).with_revision("v1", promoted_at=ago(AN_HOUR), **third)
    scene = scene.with_live("v2", ready=2, promoted_at=ago(10)).switched("v1", seconds_ago=10)
    return scene.with_revision("v3", **NONE_YET)


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        pytest.param(
            _with_a_third(ready=2),
            "version v3 waits for its first turn: it comes when version v1 has none of its 2 pods any more, "
            "which it keeps until 12:01:10Z",
            id="is kept warm",
        ),
        pytest.param(
            _with_a_third(desired=0, pods=1),
            "version v3 waits for its first turn: it comes when version v1 has none of its 1 pods any more, "
            "which are ending",
            id="is draining",
        ),
    ],
)
def test_it_is_told_that_the_first_turn_waits_for_a_third_version_that(scene: Scene, message: str) -> None:
    says = scene.plan.status
    assert (says.step, says.message) == (STEP.WAITING_FOR_READY_PODS, message)
    assert not any(isinstance(action, actions.WidenTraffic) for action in scene.actions)


def test_what_has_pods_already_is_told_before_whom_it_waits_for() -> None:
    """It was begun without turns."""
    says = _with_a_third(ready=2).with_revision("v4", ready=1)
    asked = dataclasses.replace(says.asked, revision="v4", version="v4")
    assert dataclasses.replace(says, asked=asked).plan.status.message == "1 of 2 pods of version v4 are ready"


@pytest.mark.parametrize(
    ("scene", "step"),
    [
        pytest.param(_turning(2, 1, ready=0, missing=1), STEP.ROLLING, id="an old pod may go"),
        pytest.param(_turning(1, 1, ready=0, going=1, missing=1), STEP.ROLLING, id="an old pod is ending"),
        pytest.param(_turning(1, 1, ready=0, missing=1), STEP.BLOCKED, id="it has gone, and its GPU too"),
        pytest.param(_turning(2, 1, ready=0), STEP.BLOCKED, id="none may go"),
    ],
)
def test_a_pod_without_room_is_stuck_only_when_none_leaves(scene: Scene, step: reasons.RolloutStep) -> None:
    stuck = dataclasses.replace(scene.revisions[1], problems=(a_problem(SEVERITY.BLOCKING),))
    waits = dataclasses.replace(scene, revisions=(scene.revisions[0], stuck))
    assert waits.plan.status.step is step


@pytest.mark.parametrize(
    ("problem", "step"),
    [(a_problem(SEVERITY.BLOCKING), STEP.BLOCKED), (WRONG, STEP.REJECTED)],
    ids=["no room", "a wrong answer"],
)
def test_a_turn_that_fails_is_told(problem: observed.Problem, step: reasons.RolloutStep) -> None:
    scene = _turning(1, 1, ready=0)
    failing = dataclasses.replace(scene.revisions[1], problems=(problem,))
    says = dataclasses.replace(scene, revisions=(scene.revisions[0], failing)).plan.status
    assert says.step is step
    assert says.message.endswith("Pod sentiment-v2-x: 0/2 nodes are available")


def test_all_pods_count_while_they_are_replaced() -> None:
    says = _turning(1, 1).plan.status
    assert (says.replicas, says.ready_replicas, says.selector) == (2, 2, "slipway.dev/model=sentiment")
    assert {v.state for v in says.versions} == {reasons.VersionState.LIVE}
    serving = next(c for c in says.conditions if c.type is reasons.ConditionType.SERVING)
    assert (serving.status, serving.message) == (True, "2 pods answer, of all versions that have some")
