"""A revision of several pods has a budget, by which a node's drain takes one at a time."""

import pytest

from slipway_operator.planning import actions
from tests.planning.situations import Scene, a_model

TWO = a_model(replicas=2)

NEEDED = [
    pytest.param(TWO.with_live("v1", ready=2, has_budget=False), "v1", id="the live revision"),
    pytest.param(
        a_model(asking="v2", replicas=2).with_live("v1", ready=2).with_revision("v2", has_budget=False),
        "v2",
        id="the coming one, before it has the traffic",
    ),
]
NONE = [
    pytest.param(a_model().with_live("v1"), id="one pod needs none"),
    pytest.param(TWO.with_live("v1", ready=2), id="it is there"),
    pytest.param(TWO.with_live("v1", ready=2).with_retired("v0", has_budget=False), id="no pods, no budget"),
    pytest.param(
        a_model(replicas=0).with_live("v1", ready=0, desired=0, pods=0, has_budget=True), id="hibernation"
    ),
    pytest.param(
        a_model(asking="v2", replicas=2).with_live("v1", ready=2).with_revision("v2", desired=1, ready=1),
        id="one that has come by turns so far keeps what it has",
    ),
]


def about_budgets(scene: Scene) -> list[actions.Action]:
    kinds = actions.CreateBudget | actions.DeleteBudget
    return [action for action in scene.actions if isinstance(action, kinds)]


@pytest.mark.parametrize(("scene", "revision"), NEEDED)
def test_a_budget_is_created_for(scene: Scene, revision: str) -> None:
    assert about_budgets(scene) == [actions.CreateBudget(revision)]


@pytest.mark.parametrize("scene", NONE)
def test_nothing_is_to_be_done_when(scene: Scene) -> None:
    assert about_budgets(scene) == []


def test_one_pod_needs_no_budget_any_more() -> None:
    assert about_budgets(a_model().with_live("v1", has_budget=True)) == [actions.DeleteBudget("v1")]


@pytest.mark.parametrize("paused", [False, True])
def test_a_budget_that_somebody_has_edited_is_made_anew(paused: bool) -> None:  # noqa: FBT001
    scene = a_model(replicas=2, paused=paused).with_live("v1", ready=2, spoilt_budget=True)
    assert about_budgets(scene) == [actions.DeleteBudget("v1", edited=True)]


def test_an_edited_budget_of_what_has_retired_is_let_be() -> None:
    assert about_budgets(TWO.with_live("v1", ready=2).with_retired("v0", spoilt_budget=True)) == []


def test_a_pause_takes_no_protection_away() -> None:
    scene = a_model(replicas=2, paused=True).with_live("v1", ready=2, has_budget=False)
    assert about_budgets(scene) == [actions.CreateBudget("v1")]
