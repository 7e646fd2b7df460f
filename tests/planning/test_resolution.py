"""What a source leads to is found out once, before anything is made from it, and by nobody's GPU."""

import dataclasses
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed, target
from slipway_operator.planning import actions, attempt, decision, happenings, resolution
from tests.planning.situations import AN_HOUR, FOUND, NOW, Scene, a_model, a_problem, ago, ahead

REASON, SEVERITY = reasons.ConditionReason, observed.Severity
STEP, STATE, TYPE = reasons.RolloutStep, reasons.VersionState, reasons.ConditionType
COMING = a_model(asking="v2").with_live("v1").without_resolver()
FIRST_TRY = actions.CreateResolver("v2", number=1, attempt=1)
ABSENT = a_problem(SEVERITY.BLOCKING, REASON.SOURCE_NOT_FOUND)
FORGED = a_problem(SEVERITY.REJECTING, REASON.DIGEST_MISMATCH)


def tried(problem: observed.Problem, *, ended: float = 1, **fields: Any) -> Scene:
    """The last try has ended that many seconds ago."""
    return COMING.with_resolver(ended_at=ago(ended), problem=problem, **fields)


# -- when a pod is made --


def test_a_new_revision_begins_with_a_resolver_pod() -> None:
    assert COMING.actions == (FIRST_TRY,)


def test_a_first_version_too() -> None:
    assert a_model(asking="v2").without_resolver().actions == (FIRST_TRY,)


def test_while_it_runs_nothing_else_is_made() -> None:
    assert COMING.with_resolver().actions == ()


def test_what_it_has_found_is_what_the_deployment_is_made_of() -> None:
    found = COMING.with_resolver(ended_at=ago(1), source=FOUND)
    assert resolution.resolve(found.situation) == decision.NOTHING
    assert found.actions == (actions.CreateDeployment("v2", 1, NOW),)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(COMING.with_revision("v2"), id="of a revision that exists: it is never resolved again"),
        pytest.param(
            COMING.with_retired("v2", promoted=None), id="of one that exists and was not resolved when made"
        ),
        pytest.param(
            a_model(
                asking="v2",
                obstacle=target.Obstacle(REASON.IMAGE_NOT_ALLOWED, "the image is not on the list"),
            ).without_resolver(),
            id="while it may not be made at all",
        ),
        pytest.param(
            a_model(asking="v2", replicas=0).with_live("v1", desired=0, ready=0, pods=0).without_resolver(),
            id="of a model that hibernates",
        ),
        pytest.param(a_model(asking="v2", paused=True).with_live("v1").without_resolver(), id="in a pause"),
    ],
)
def test_there_is_none(scene: Scene) -> None:
    assert not any(isinstance(action, actions.CreateResolver) for action in scene.actions)


def test_what_is_in_the_way_of_all_is_said_before_what_a_resolver_says() -> None:
    assert attempt.create(COMING.situation, size=1) == decision.NOTHING


# -- when it fails --


def test_what_was_refused_is_not_asked_again() -> None:
    scene = tried(FORGED, ended=90_000)
    assert scene.actions == ()
    assert scene.plan.look_again is None


def test_but_on_the_users_word_and_then_it_counts_as_the_first() -> None:
    scene = tried(FORGED, number=3, attempt=3, retry_token="before")
    assert scene.actions == (actions.CreateResolver("v2", number=4, attempt=1),)


@pytest.mark.parametrize(
    ("attempt", "pause"), [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (10_000, 3600), (0, 10)]
)
def test_what_may_mend_itself_is_asked_again_after_a_pause_that_doubles(attempt: int, pause: int) -> None:
    early = tried(ABSENT, ended=pause - 1, attempt=attempt)
    assert early.actions == ()
    assert early.plan.look_again == ahead(1)
    due = tried(ABSENT, ended=pause, attempt=attempt)
    assert due.actions == (actions.CreateResolver("v2", number=2, attempt=attempt + 1),)


def test_a_name_that_is_leaving_is_not_taken_again() -> None:
    scene = COMING.with_resolver(number=1, leaving=True)
    assert scene.actions == (actions.CreateResolver("v2", number=2, attempt=1),)


def test_a_pod_that_does_not_end_is_left_to_the_kubelet_and_its_lateness_is_told_in_time() -> None:
    in_time, late = COMING.with_resolver(made_at=ago(599)), COMING.with_resolver(made_at=ago(600))
    assert (in_time.actions, in_time.plan.look_again) == ((), ahead(1))
    assert (late.actions, late.plan.look_again) == ((), None)


# -- what it leaves behind --


def test_a_pod_whose_answer_is_frozen_is_deleted() -> None:
    scene = COMING.with_resolver(ended_at=ago(1), source=FOUND).with_revision("v2")
    assert scene.actions == (actions.DeleteResolver("v2-resolver-1"),)


def test_so_are_those_of_earlier_tries_and_of_what_nobody_asks_for_any_more() -> None:
    scene = tried(ABSENT, number=1).with_resolver("v3").with_resolver(number=2)
    gone = (actions.DeleteResolver("v2-resolver-1"), actions.DeleteResolver("v3-resolver-1"))
    assert scene.actions == gone


def test_but_not_twice_and_not_in_a_pause() -> None:
    leaving = COMING.with_resolver("v3", leaving=True).with_resolver()
    assert leaving.actions == ()
    paused = a_model(asking="v2", paused=True).with_live("v1").with_resolver("v3")
    assert paused.actions == ()


# -- what waits for it --


def test_nobody_waits_for_a_turn_before_the_source_is_known() -> None:
    assert resolution.failed(COMING.situation) is False
    assert not COMING.situation.resolved


def test_an_outage_does_not_begin_before_the_source_is_known() -> None:
    recreated = a_model(asking="v2", strategy=target.Strategy.RECREATE, allow_downtime=True).with_live("v1")
    assert recreated.without_resolver().actions == (FIRST_TRY,)
    assert recreated.actions == (actions.TakeDown("v1"),)


def test_by_turns_a_version_whose_source_is_not_there_leads_back() -> None:
    turning = a_model(asking="v3", replicas=2, strategy=target.Strategy.ROLLING)
    turning = turning.with_revision("v1", ready=1, desired=1, promoted_at=ago(AN_HOUR))
    turning = turning.with_revision("v2", ready=1, desired=1).widened("v1").without_resolver()
    assert turning.with_resolver().actions == ()
    failed = turning.with_resolver(ended_at=ago(1), problem=ABSENT)
    assert failed.actions == (actions.Scale("v1", 2),)


# -- what is said --


def test_while_it_runs_the_step_is_resolving() -> None:
    for scene in (COMING, COMING.with_resolver()):
        says = scene.plan.status
        assert says.step is STEP.RESOLVING
        assert says.message == "what the source of version v2 leads to is being found out"
        assert [v.revision for v in says.versions] == ["v1"]


def test_then_the_revision_is_being_created() -> None:
    says = COMING.with_resolver(ended_at=ago(1), source=FOUND).plan.status
    assert (says.step, says.message) == (STEP.WAITING_FOR_READY_PODS, "the revision is being created")


def test_what_was_refused_is_rejected_and_an_event_says_so() -> None:
    says = tried(FORGED).plan.status
    assert says.step is STEP.REJECTED
    assert says.message.endswith("set spec.rollout.retryToken to try it again")
    line = says.versions[0]
    assert (line.revision, line.state, line.reason) == ("v2", STATE.REJECTED, REASON.DIGEST_MISMATCH)
    told = happenings.of_step(STEP.RESOLVING, says)
    assert told is not None
    assert (told.reason, told.warning) == (reasons.EventReason.ROLLOUT_REJECTED, True)


def test_a_deployment_that_is_rejected_is_told_of_by_the_verdict_alone() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", problems=(FORGED,))
    assert scene.plan.status.step is STEP.REJECTED
    assert happenings.of_step(STEP.WAITING_FOR_READY_PODS, scene.plan.status) is None


def test_what_is_not_there_is_blocked_and_says_when_it_is_asked_again() -> None:
    says = tried(ABSENT).plan.status
    assert (says.step, says.versions[0].state) == (STEP.BLOCKED, STATE.BLOCKED)
    assert says.versions[0].reason == REASON.SOURCE_NOT_FOUND
    assert says.message.endswith("; tried again at 12:00:09Z")
    stalled = next(c for c in says.conditions if c.type is TYPE.STALLED)
    assert stalled.reason is REASON.SOURCE_NOT_FOUND


def test_or_that_a_pause_forbids_it() -> None:
    paused = a_model(asking="v2", paused=True).with_live("v1")
    says = paused.with_resolver(ended_at=ago(1), problem=ABSENT).plan.status
    assert says.message.endswith("; tried again when spec.rollout.paused is false")


def test_a_pod_that_lacks_something_is_blocked_until_the_kubelet_finds_it() -> None:
    lacking = a_problem(SEVERITY.BLOCKING, REASON.SECRET_NOT_FOUND)
    says = COMING.with_resolver(problem=lacking).plan.status
    assert says.step is STEP.BLOCKED
    assert says.message.endswith("; it goes on by itself when that is mended")


def test_one_that_is_late_without_any_reason_says_that() -> None:
    says = COMING.with_resolver(made_at=ago(600)).plan.status
    assert says.step is STEP.BLOCKED
    assert says.versions[0].reason == REASON.PROGRESS_DEADLINE_EXCEEDED


def test_a_paused_one_is_paused() -> None:
    paused = a_model(asking="v2", paused=True).with_live("v1").with_resolver()
    assert paused.plan.status.step is STEP.PAUSED


# -- what became of the source afterwards --

DRIFT = a_problem(SEVERITY.REJECTING, REASON.SOURCE_DRIFTED)


def test_a_live_version_that_could_not_start_anew_says_that_its_source_has_changed() -> None:
    scene = a_model(replicas=2).with_live("v1", ready=1, problems=(DRIFT,), digest=FOUND.digest)
    says = scene.plan.status
    drift = next(c for c in says.conditions if c.type is TYPE.SOURCE_DRIFTED)
    assert (drift.status, drift.reason) == (True, REASON.SOURCE_DRIFTED)
    assert says.versions[0].digest == FOUND.digest
    assert scene.actions == ()


def test_a_healthy_one_says_nothing_of_it() -> None:
    kinds = {c.type for c in a_model().with_live("v1").plan.status.conditions}
    assert TYPE.SOURCE_DRIFTED not in kinds


def test_what_was_made_before_sources_were_frozen_is_let_be() -> None:
    scene = dataclasses.replace(a_model().with_live("v1", digest=""), resolvers=())
    assert scene.actions == ()
