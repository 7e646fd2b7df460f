"""What has lost its owner is taken over before anything else, and the status tells who serves meanwhile."""

from __future__ import annotations

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, hands_off
from tests.planning import convergence, simulated_operator, world
from tests.planning.situations import Scene, a_model

STEP, TYPE = reasons.RolloutStep, reasons.ConditionType
LOST = (("Deployment", "sentiment-v1"), ("Service", "sentiment"))
TAKEN = tuple(actions.TakeOver(*child) for child in LOST)


def condition(scene: Scene, kind: reasons.ConditionType) -> tuple[bool, str, str]:
    found = next(c for c in scene.plan.status.conditions if c.type is kind)
    return found.status, found.reason, found.message


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("asking", ["v1", "v2"])
def test_it_is_taken_over_and_nothing_else_is_done_in_that_look(asking: str, *, paused: bool) -> None:
    scene = a_model(asking=asking, replicas=3, paused=paused).with_live("v1", desired=2).with_unowned(*LOST)
    assert scene.actions == TAKEN
    assert scene.with_unowned().actions != ()


def test_what_can_be_done_without_is_taken_over_beside_whatever_else_is_done() -> None:
    lost = (("NetworkPolicy", "sentiment-runtime"), ("PodDisruptionBudget", "sentiment-v1"))
    scene = a_model(asking="v2").with_live("v1").with_unowned(*lost)
    assert set(scene.actions) >= {actions.TakeOverSupporting(*child) for child in lost}
    assert set(scene.actions) > set(scene.with_unowned().actions)
    assert set(scene.with_unowned(*LOST, *lost).actions) == set(TAKEN), "first what pods and traffic hang on"


def test_it_is_said_what_serves_meanwhile() -> None:
    scene = a_model(replicas=2).with_live("v1", ready=2).with_unowned(*LOST)
    assert scene.plan.status.step is STEP.COMPLETE
    assert condition(scene, TYPE.SERVING) == (True, "Serving", "version v1 answers with 2 of 2 pods")


def test_it_is_taken_over_also_while_something_else_is_in_the_way() -> None:
    scene = a_model(asking="v2").with_live("v1").with_unowned(*LOST)
    assert scene.with_somebody_elses("Deployment", observed.Child.DEPLOYMENT, "v2").actions == TAKEN


def test_with_hands_off_it_is_only_said() -> None:
    scene = a_model(hands_off=True).with_live("v1").with_unowned(*LOST)
    assert scene.actions == ()
    assert str(TAKEN[0]) in hands_off.told(scene.plan.status, TAKEN).message


def test_who_answers_is_told_also_of_a_service_that_somebody_else_has_taken() -> None:
    scene = a_model(replicas=2).with_live("v1", ready=2).lost_to_others()
    says = scene.plan.status
    assert (says.step, says.ready_replicas) == (STEP.STOPPED, 2)
    assert says.active is not None
    assert says.active.state is reasons.VersionState.LIVE
    assert condition(scene, TYPE.SERVING) == (True, "Serving", "version v1 answers with 2 of 2 pods")
    assert condition(scene, TYPE.READY)[:2] == (False, "NameConflict")
    assert scene.actions == ()


def test_of_a_service_that_leads_elsewhere_it_is_said_whose_it_is() -> None:
    scene = a_model().with_live("v1").lost_to_others()
    said = condition(dataclasses.replace(scene, elsewhere=None), TYPE.SERVING)
    assert said[:2] == (False, "NameConflict")
    assert said[2] == "Service sentiment belongs to Helm release other, and leads to no pod of this model"


@pytest.mark.parametrize("from_a_backup", [False, True])
@pytest.mark.parametrize("dies_before", range(1, 16))
def test_whatever_the_rollout_was_at_it_goes_on_with_what_it_has(
    dies_before: int, *, from_a_backup: bool
) -> None:
    cluster = world.World(replicas=2)
    operator = simulated_operator.Operator(cluster)
    convergence.converge(cluster, operator)
    pods = set(cluster.pods)
    cluster.user_asks_for("v2")
    cluster.administrator_restricts_access(restricted=True)
    operator.works_until_rest()
    cluster.model_is_made_anew_without_its_children(from_a_backup=from_a_backup)
    mortal = simulated_operator.Operator(cluster, dies_before=[dies_before])
    mortal.works_until_rest()
    assert pods <= set(cluster.pods)
    convergence.check_end(cluster, convergence.converge(cluster, mortal))
