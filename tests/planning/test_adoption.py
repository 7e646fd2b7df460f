"""A Service that was there before the model and is lent to it: it moves when enough pods are ready."""

import dataclasses
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed, target
from slipway_operator.planning import actions
from tests.planning import convergence, simulated_operator, situations, world
from tests.planning.situations import NOW, Scene, a_model

OLD_PODS = frozenset({"old-1", "old-2"})
MOVE = actions.SwitchTraffic(None, "v1", NOW, "7")


def lent(scene: Scene, *, answering: frozenset[str] = OLD_PODS, **fields: Any) -> Scene:
    """The Service leads to pods of its owner's Deployment."""
    usual = {"ready": answering, "foreign": answering, "lent": True, "marked": True}
    return scene.with_service(None, **{**usual, **fields})


def test_it_is_marked_before_it_is_moved() -> None:
    scene = lent(a_model(), marked=False)
    assert scene.actions == (
        actions.CreateDeployment("v1", 1, NOW),
        actions.MarkLentService("7"),
    )


def test_the_first_revision_comes_with_the_pods_that_are_asked_for_however_many_answer_now() -> None:
    assert lent(a_model(replicas=1)).actions == (actions.CreateDeployment("v1", 1, NOW),)
    assert MOVE in lent(a_model(replicas=1).with_revision("v1", ready=1)).actions


@pytest.mark.parametrize(
    ("scene", "moves"),
    [
        pytest.param(lent(a_model(replicas=2).with_revision("v1", ready=0)), False, id="no pod is ready"),
        pytest.param(lent(a_model(replicas=2).with_revision("v1", ready=1)), False, id="too few are"),
        pytest.param(
            lent(a_model(replicas=2).with_revision("v1", ready=2, ready_for=1)),
            False,
            id="not for long enough",
        ),
        pytest.param(lent(a_model(replicas=2).with_revision("v1", ready=2)), True, id="enough are"),
        pytest.param(
            lent(a_model(replicas=3).with_revision("v1", ready=1), answering=frozenset()),
            True,
            id="nobody answers now, and one can",
        ),
        pytest.param(
            lent(a_model(replicas=2, paused=True).with_revision("v1", ready=2)), False, id="it is paused"
        ),
        pytest.param(
            lent(a_model(replicas=2, manual=True).with_revision("v1", ready=2)),
            False,
            id="the user has the last word, and has not said it",
        ),
        pytest.param(
            lent(a_model(replicas=2, manual=True, approved="v1").with_revision("v1", ready=2)),
            True,
            id="the user has said it",
        ),
    ],
)
def test_it_moves(scene: Scene, moves: bool) -> None:  # noqa: FBT001
    assert any(isinstance(action, actions.SwitchTraffic) for action in scene.actions) is moves


@pytest.mark.parametrize("strategy", target.Strategy)
def test_no_strategy_makes_it_an_outage(strategy: target.Strategy) -> None:
    scene = lent(a_model(strategy=strategy, allow_downtime=True).with_revision("v1", ready=0))
    assert scene.actions == ()


def test_a_version_that_fails_leaves_its_owners_pods_where_they_are() -> None:
    wrong = situations.a_problem(observed.Severity.REJECTING, reasons.ConditionReason.GOLDEN_MISMATCH)
    first, second = lent(a_model(replicas=2).with_revision("v1", problems=(wrong,))).actions
    assert isinstance(first, actions.Reject)
    assert second == actions.Scale("v1", 0)


def test_the_status_says_who_answers_meanwhile() -> None:
    says = lent(a_model(replicas=2).with_revision("v1")).plan.status
    serving = next(c for c in says.conditions if c.type is reasons.ConditionType.SERVING)
    assert serving.status
    assert serving.message == "2 pods answer that the Service led to before this model"
    assert (says.active, says.selector) == (None, "")


def test_once_it_has_moved_it_is_held_like_any_other() -> None:
    """Somebody's hand on the selector is repaired: it is no first move any more."""
    scene = lent(
        a_model().with_revision("v1", ready=1, promoted_at=situations.ago(99)), answering=frozenset()
    )
    assert scene.service is not None
    service = dataclasses.replace(scene.service, switch=observed.Switch(None, "v1", situations.ago(99)))
    assert dataclasses.replace(scene, service=service).actions == (MOVE,)


def test_a_service_of_our_own_is_never_taken_for_one_that_is_lent() -> None:
    scene = a_model().with_revision("v1", ready=1, promoted_at=situations.ago(99)).with_service(None)
    assert scene.actions == (MOVE,)


def test_from_the_first_look_to_the_end_nothing_is_written_twice() -> None:
    cluster = world.World(replicas=2)
    cluster.somebody_lends_a_service(OLD_PODS)
    operator = simulated_operator.Operator(cluster)
    end = convergence.converge(cluster, operator)
    assert end.plan.status.step is reasons.RolloutStep.COMPLETE
    assert sorted(type(action).__name__ for action in operator.written) == [
        "CreateBudget",
        "CreateDeployment",
        "CreateResolver",
        "CreateRevisionService",
        "DeleteResolver",
        "MarkLentService",
        "MarkPromoted",
        "SwitchTraffic",
    ]
