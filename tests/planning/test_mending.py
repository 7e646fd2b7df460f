"""What somebody has edited of our Services is put right, whatever the rollout does."""

from __future__ import annotations

import dataclasses

import pytest

from slipway_operator.planning import actions
from tests.planning import convergence, simulated_operator, world
from tests.planning.situations import Scene, a_model


def spoilt(scene: Scene, *, lent: bool = False) -> Scene:
    assert scene.service is not None
    service = dataclasses.replace(scene.service, spoilt=True, lent=lent, marked=lent)
    return dataclasses.replace(scene, service=service)


@pytest.mark.parametrize("paused", [False, True])
def test_the_stable_service_is_put_right(paused: bool) -> None:  # noqa: FBT001
    scene = spoilt(a_model(paused=paused).with_live("v1"))
    assert scene.actions == (actions.MendService(""),)


def test_a_revisions_own_service_is_put_right_while_it_has_pods() -> None:
    scene = a_model().with_retired("v0", spoilt_service=True).with_live("v1", spoilt_service=True)
    assert scene.actions == (actions.MendService("v1"),)


def test_what_is_right_is_left_alone() -> None:
    assert a_model().with_live("v1").actions == ()


@pytest.mark.parametrize("dies_before", range(1, 12))
def test_whatever_is_edited_in_a_rollout_is_right_in_the_end(dies_before: int) -> None:
    cluster = world.World(replicas=2)
    operator = simulated_operator.Operator(cluster)
    convergence.converge(cluster, operator)
    cluster.user_asks_for("v2")
    operator.works_until_rest()
    for revision in list(cluster.deployments):
        cluster.service_is_edited(revision)
        cluster.budget_is_edited(revision)
    cluster.service_is_edited("")
    mortal = simulated_operator.Operator(cluster, dies_before=[dies_before])
    convergence.check_end(cluster, convergence.converge(cluster, mortal))
