"""An attempt that has failed ends: rejected at once when the version is bad, or released at its deadline."""

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, failure, inquiry
from tests.planning.situations import NOW, Scene, a_model, a_problem, a_verdict, ago, ahead

REASON, SEVERITY, STEP = reasons.ConditionReason, observed.Severity, reasons.RolloutStep
WRONG = a_problem(SEVERITY.REJECTING, REASON.GOLDEN_MISMATCH)


def _warming(**fields: object) -> Scene:
    return a_model(asking="v2", retry_token="once").with_live("v1").with_revision("v2", **fields)  # type: ignore[arg-type]


def test_a_bad_version_is_rejected_at_once_and_gives_up_its_pods() -> None:
    rejected, scaled = failure.judge(_warming(problems=(WRONG,), attempt_number=3).situation).actions
    verdict = observed.Verdict(
        REASON.GOLDEN_MISMATCH, "Pod sentiment-v2-x: 0/2 nodes are available", NOW, "once", attempts=3
    )
    assert rejected == actions.Reject("v2", verdict)
    assert scaled == actions.Scale("v2", 0)


def test_the_worst_problem_decides() -> None:
    scene = _warming(problems=(a_problem(SEVERITY.PASSING), WRONG, a_problem(SEVERITY.BLOCKING)))
    assert isinstance(failure.judge(scene.situation).actions[0], actions.Reject)


@pytest.mark.parametrize("severity", [SEVERITY.PASSING, SEVERITY.BLOCKING])
def test_what_may_mend_itself_is_waited_for_until_the_deadline(severity: observed.Severity) -> None:
    decided = failure.judge(_warming(problems=(a_problem(severity),)).situation)
    assert decided.actions == ()
    assert decided.look_again == ahead(540)


def test_at_the_deadline_the_pods_are_released_with_the_reason_known() -> None:
    scene = _warming(problems=(a_problem(SEVERITY.BLOCKING),), attempt_started_at=ago(600))
    released, scaled = failure.judge(scene.situation).actions
    assert isinstance(released, actions.Release)
    assert released.verdict.reason is REASON.UNSCHEDULABLE
    assert scaled == actions.Scale("v2", 0)


def test_at_the_deadline_without_any_reason_the_deadline_is_the_reason() -> None:
    released = failure.judge(_warming(attempt_started_at=ago(600)).situation).actions[0]
    assert isinstance(released, actions.Release)
    assert released.verdict.reason is REASON.PROGRESS_DEADLINE_EXCEEDED
    assert released.verdict.message == "revision v2: 0 of 1 pods were ready after 600 s"


def test_enough_ready_pods_are_not_released_however_late() -> None:
    assert failure.judge(_warming(ready=1, attempt_started_at=ago(900)).situation).actions == ()


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(a_model().with_live("v1", problems=(WRONG,)), id="the live revision"),
        pytest.param(a_model(asking="v2").with_live("v1"), id="a revision that does not exist yet"),
        pytest.param(_warming(problems=(WRONG,), rejected=a_verdict()), id="one that was rejected already"),
        pytest.param(_warming(problems=(WRONG,), released=a_verdict()), id="one that was released already"),
        pytest.param(_warming(problems=(WRONG,), desired=0), id="one without pods"),
        pytest.param(
            _warming(problems=(WRONG,), promoted_at=NOW), id="one whose attempt the traffic has had"
        ),
        pytest.param(
            a_model(asking="v2", replicas=0)
            .with_live("v1")
            .with_revision("v2", desired=1, problems=(WRONG,)),
            id="one that is being put to sleep",
        ),
    ],
)
def test_nobody_judges(scene: Scene) -> None:
    assert failure.judge(scene.situation).actions == ()


def test_what_still_gets_requests_behind_an_edited_selector_is_not_judged() -> None:
    scene = a_model(asking="v2").with_revision("v2", ready=1, problems=(WRONG,)).with_retired("v1")
    assert failure.judge(scene.with_service("v1", ready=frozenset({"v2-0"})).situation).actions == ()


def test_the_only_ready_pods_get_the_traffic_and_no_judgement() -> None:
    scene = a_model(asking="v2").with_live("v1", ready=0).with_revision("v2", ready=1, problems=(WRONG,))
    assert scene.actions == (actions.SwitchTraffic("v1", "v2", NOW, "7"),)


def test_a_first_revision_is_never_released_but_its_lateness_is_told_in_time() -> None:
    in_time = a_model().with_revision("v1").with_service("v1")
    late = a_model().with_revision("v1", attempt_started_at=ago(600)).with_service("v1")
    assert failure.judge(in_time.situation).look_again == ahead(540)
    assert failure.judge(late.situation) == decision.NOTHING


def test_of_one_that_somebody_put_behind_the_service_it_is_told_as_well() -> None:
    """It has had the traffic before, and no move of ours has brought it back."""
    moved = observed.Switch("v1", "v2", ago(800))

    def scene(began: float) -> Scene:
        spent = {"promoted_at": ago(began - 1), "attempt_started_at": ago(began)}
        before = a_model(asking="v1").with_revision("v2", ready=1).with_live("v1", ready=0, **spent)
        assert before.service is not None
        return dataclasses.replace(before, service=dataclasses.replace(before.service, switch=moved))

    early, late = scene(100), scene(900)
    assert early.plan.status.step is STEP.WAITING_FOR_READY_PODS
    assert failure.judge(early.situation).look_again == ahead(500)
    assert late.plan.status.step is STEP.BLOCKED
    assert late.plan.status.message == "0 of 1 pods of version v1 are ready after 600 s"


@pytest.mark.parametrize(
    ("attempts", "pause"), [(1, 600), (2, 1200), (3, 2400), (4, 3600), (13, 3600), (10_000, 3600)]
)
def test_the_pause_doubles_up_to_an_hour(attempts: int, pause: int) -> None:
    verdict = a_verdict(seconds_ago=0, attempts=attempts)
    assert failure.retry_at(a_model().situation, verdict) == ahead(pause)


@pytest.mark.parametrize(
    ("rejected", "released", "token", "again"),
    [
        pytest.param(None, None, "", True, id="nothing was decided"),
        pytest.param(a_verdict(), None, "", False, id="rejected stays rejected"),
        pytest.param(a_verdict(seconds_ago=90_000), None, "", False, id="rejected stays rejected for ever"),
        pytest.param(a_verdict(), None, "new", True, id="rejected, and the user says so"),
        pytest.param(None, a_verdict(seconds_ago=599), "", False, id="released a moment ago"),
        pytest.param(None, a_verdict(seconds_ago=600), "", True, id="released for long enough"),
        pytest.param(None, a_verdict(seconds_ago=1), "new", True, id="released, and the user says so"),
        pytest.param(a_verdict(), a_verdict(seconds_ago=9000), "", False, id="both: the rejection counts"),
    ],
)
def test_what_has_ended_may_be_tried_again(
    rejected: observed.Verdict | None,
    released: observed.Verdict | None,
    token: str,
    again: bool,  # noqa: FBT001
) -> None:
    scene = a_model(asking="v2", retry_token=token).with_live("v1")
    scene = scene.with_revision("v2", rejected=rejected, released=released)
    assert scene.situation.target is not None
    assert failure.may_try_again(scene.situation, scene.situation.target) is again


LATE = {"attempt_started_at": ago(600)}


def test_the_last_words_of_a_pod_that_is_let_go_are_kept_with_the_verdict() -> None:
    scene = _warming(last_words="still loading", **LATE)
    released = failure.judge(scene.situation).actions[0]
    assert isinstance(released, actions.Release)
    assert released.verdict.last_words == "still loading"


def test_they_stand_in_the_list_of_versions_and_nowhere_else() -> None:
    verdict = dataclasses.replace(a_verdict(), last_words="still loading")
    says = _warming(released=verdict, desired=0).plan.status
    told = {version.version: version.message for version in says.versions}
    assert told == {
        "v2": "0/2 nodes are available; the last lines of its log: still loading",
        "v1": "",
    }
    assert "loading" not in says.message + "".join(c.message for c in says.conditions)


@pytest.mark.parametrize(
    ("scene", "of"),
    [
        pytest.param(_warming(**LATE), "v2", id="its pods are about to be let go"),
        pytest.param(_warming(), None, id="it has time left"),
        pytest.param(_warming(released=a_verdict(), **LATE), None, id="they have been let go"),
        pytest.param(_warming(ready=1, **LATE), None, id="it is ready"),
        pytest.param(a_model().with_live("v1", ready=0, promoted_at=None, **LATE), None, id="it is live"),
        pytest.param(a_model(), None, id="there is none"),
    ],
)
def test_a_log_is_read_when(scene: Scene, of: str | None) -> None:
    assert inquiry.questions(scene.situation).words_of == of
