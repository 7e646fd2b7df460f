"""A name that somebody else has taken keeps from us only what needs that name."""

from __future__ import annotations

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed, target
from slipway_operator.planning import actions
from tests.planning.situations import NOW, Scene, a_model, ago, ahead

STEP, CHILD = reasons.RolloutStep, observed.Child
CRASH = observed.Symptom(observed.Fault.CRASHED, ago(1), "Pod x crashed")


def asked_for_v2(*, replicas: int = 1, desired: int = 1) -> Scene:
    """Version 1 serves, and somebody else has the name of version 2's Deployment."""
    scene = a_model(asking="v2", replicas=replicas).with_live("v1", desired=desired)
    return scene.with_somebody_elses("Deployment", CHILD.DEPLOYMENT, "v2")


def test_the_version_that_needs_the_name_does_not_come_until_it_is_seen_to_be_free() -> None:
    assert asked_for_v2().actions == ()
    assert asked_for_v2().plan.look_again == ahead(10)
    assert asked_for_v2().plan.status.step is STEP.STOPPED


def test_what_serves_follows_the_replicas_that_are_asked_for() -> None:
    assert asked_for_v2(replicas=3).actions == (actions.Scale("v1", 3),)


def test_a_service_that_was_deleted_comes_back() -> None:
    assert asked_for_v2().without_service().actions == (actions.CreateTrafficService("v1"),)


def test_in_a_bake_the_requests_go_back() -> None:
    scene = a_model(asking="v3", bake=60).with_revision("v1", ready=1, promoted_at=ago(9000))
    scene = scene.with_live("v2", symptoms=(CRASH,)).switched("v1", seconds_ago=20)
    scene = scene.with_somebody_elses("Service", CHILD.PROOF, "v3")
    assert scene.actions[-1:] == (actions.SwitchTraffic("v2", "v1", NOW, "7", back=True),)


def test_what_proves_itself_under_somebody_elses_service_gets_no_requests() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", ready=1)
    assert [type(action) for action in scene.actions] == [actions.SwitchTraffic]
    assert scene.with_somebody_elses("Service", CHILD.PROOF, "v2").actions == ()


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(a_model(restricted=True), id="of nothing that is there"),
        pytest.param(a_model().with_retired("v1", promoted=None), id="of what has no pods"),
        pytest.param(a_model().with_revision("v1", ready=1), id="of what has lost its Service"),
    ],
)
def test_without_the_stable_name_nothing_is_made(scene: Scene) -> None:
    scene = scene.with_somebody_elses("Service", CHILD.STABLE)
    assert scene.actions == ()
    assert scene.plan.status.step is STEP.STOPPED


@pytest.mark.parametrize(
    ("child", "kind", "what"),
    [
        (CHILD.BUDGET, "PodDisruptionBudget", "a revision's PodDisruptionBudget"),
        (CHILD.PROOF, "Service", "a revision's own Service"),
    ],
)
def test_what_the_old_version_lacks_does_not_keep_the_new_one(
    child: observed.Child, kind: str, what: str
) -> None:
    scene = a_model(asking="v2", replicas=2).with_live("v1", has_budget=False, has_service=False)
    scene = scene.with_somebody_elses(kind, child, "v1")
    other = {CHILD.BUDGET: actions.CreateRevisionService, CHILD.PROOF: actions.CreateBudget}[child]
    assert scene.actions == (actions.CreateDeployment("v2", 2, NOW), other("v1"))
    assert scene.plan.status.message.endswith(
        f"{kind} sentiment-v1 belongs to Helm release other: it is done without {what}"
    )
    assert scene.plan.look_again == ahead(10)


def test_a_policy_and_a_preview_are_done_without() -> None:
    scene = a_model(restricted=True, manual=True).with_live("v1")
    assert scene.actions == (actions.ApplyAccess(), actions.CreatePreviewService("v1"))
    taken = scene.with_somebody_elses("NetworkPolicy", CHILD.POLICY)
    assert taken.actions == (actions.CreatePreviewService("v1"),)
    taken = taken.with_somebody_elses("Service", CHILD.PREVIEW)
    assert taken.actions == ()
    assert taken.plan.status.step is STEP.COMPLETE


def test_an_outage_is_not_begun_for_what_cannot_come() -> None:
    scene = asked_for_v2()
    recreates = dataclasses.replace(scene.asked, strategy=target.Strategy.RECREATE, allow_downtime=True)
    assert dataclasses.replace(scene, asked=recreates).actions == ()
