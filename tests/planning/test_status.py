"""The status is the truth at every step, in words that people can act on."""

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed, status, target
from slipway_operator.planning import status as reporting
from tests.planning.situations import NOW, Scene, a_model, a_problem, a_verdict, ago

STEP, REASON, TYPE = reasons.RolloutStep, reasons.ConditionReason, reasons.ConditionType
STATE, SEVERITY = reasons.VersionState, observed.Severity

CREATED = a_model(replicas=2)
FIRST = a_model(replicas=2).with_revision("v1", ready=1).with_service("v1")
AT_REST = a_model(replicas=2).with_live("v1", ready=2)
COMING = a_model(asking="v2", replicas=2).with_live("v1", ready=2)
SWITCHED = (
    a_model(asking="v2").with_revision("v1", ready=1, promoted_at=ago(900)).with_revision("v2", ready=1)
)
WARM = a_model(asking="v2").with_revision("v1", ready=1, promoted_at=ago(900)).with_live("v2")
BAKING = dataclasses.replace(WARM, asked=dataclasses.replace(WARM.asked, bake=60)).switched(
    "v1", seconds_ago=20
)
BAKED = dataclasses.replace(BAKING).switched("v1", seconds_ago=90)
LAGGING = SWITCHED.with_service("v2", ready=frozenset({"v1-0"}), foreign=frozenset({"v1-0"}))
OBSTACLE = target.Obstacle(REASON.IMAGE_NOT_ALLOWED, "spec.runtime.image x is not on the list")

NO_ROOM = (
    "0 of 2 pods of version v2 are ready; Pod sentiment-v2-x: 0/2 nodes are available; "
    "version v1 keeps its pods meanwhile: make room, ask for fewer replicas, or choose the strategy "
    "Rolling, with maxUnavailable where not one pod more finds room, or Recreate with allowDowntime"
)

STEPS = [
    pytest.param(
        CREATED,
        (STEP.WAITING_FOR_READY_PODS, REASON.WAITING_FOR_READY_PODS, "the revision is being created"),
        id="a model has just been applied",
    ),
    pytest.param(
        FIRST,
        (STEP.WAITING_FOR_READY_PODS, REASON.WAITING_FOR_READY_PODS, "1 of 2 pods of version v1 are ready"),
        id="its first version starts",
    ),
    pytest.param(
        a_model(replicas=2).with_revision("v1", attempt_started_at=ago(700)).with_service("v1"),
        (
            STEP.BLOCKED,
            REASON.PROGRESS_DEADLINE_EXCEEDED,
            "0 of 2 pods of version v1 are ready after 600 s",
        ),
        id="its first version never comes up, and nobody says why",
    ),
    pytest.param(
        a_model().with_revision("v1", problems=(a_problem(SEVERITY.BLOCKING),)).with_service("v1"),
        (
            STEP.BLOCKED,
            REASON.UNSCHEDULABLE,
            "0 of 1 pods of version v1 are ready; Pod sentiment-v2-x: 0/2 nodes are available",
        ),
        id="its first version has no room",
    ),
    pytest.param(
        AT_REST, (STEP.COMPLETE, REASON.ROLLOUT_COMPLETE, "version v1 receives the requests"), id="at rest"
    ),
    pytest.param(
        COMING.with_revision("v2", ready=1),
        (STEP.WAITING_FOR_READY_PODS, REASON.WAITING_FOR_READY_PODS, "1 of 2 pods of version v2 are ready"),
        id="a new version warms up",
    ),
    pytest.param(
        COMING.with_revision("v2", problems=(a_problem(SEVERITY.PASSING, REASON.CRASH_LOOP),)),
        (
            STEP.WAITING_FOR_READY_PODS,
            REASON.WAITING_FOR_READY_PODS,
            "0 of 2 pods of version v2 are ready; Pod sentiment-v2-x: 0/2 nodes are available",
        ),
        id="a pod of the new version has crashed once",
    ),
    pytest.param(
        COMING.with_revision("v2", problems=(a_problem(SEVERITY.BLOCKING),)),
        (
            STEP.BLOCKED,
            REASON.UNSCHEDULABLE,
            NO_ROOM,
        ),
        id="the new version finds no room",
    ),
    pytest.param(
        COMING.with_revision("v2", problems=(a_problem(SEVERITY.REJECTING, REASON.GOLDEN_MISMATCH),)),
        (
            STEP.REJECTED,
            REASON.GOLDEN_MISMATCH,
            "0 of 2 pods of version v2 are ready; Pod sentiment-v2-x: 0/2 nodes are available",
        ),
        id="the new version is about to be rejected",
    ),
    pytest.param(
        COMING.with_revision("v2", desired=0, rejected=a_verdict(REASON.DIGEST_MISMATCH)),
        (
            STEP.REJECTED,
            REASON.DIGEST_MISMATCH,
            "0/2 nodes are available; set spec.rollout.retryToken to try it again",
        ),
        id="the new version was rejected",
    ),
    pytest.param(
        COMING.with_revision("v2", desired=0, released=a_verdict()),
        (STEP.BLOCKED, REASON.UNSCHEDULABLE, "0/2 nodes are available; tried again at 12:09:00Z"),
        id="the new version was released",
    ),
    pytest.param(
        LAGGING.switched("v1", seconds_ago=1),
        (
            STEP.SWITCHING,
            REASON.SWITCHING,
            "the selector has moved; its EndpointSlices still hold pods of another revision",
        ),
        id="the selector has moved",
    ),
    pytest.param(
        BAKING,
        (STEP.BAKING, REASON.BAKING, "version v2 receives the requests and is watched until 12:00:40Z"),
        id="the new version is watched",
    ),
    pytest.param(
        BAKED,
        (STEP.KEEPING_WARM, REASON.KEEPING_WARM, "version v1 keeps its pods until 12:00:30Z"),
        id="the new version has been watched for long enough",
    ),
    pytest.param(
        WARM.switched("v1", seconds_ago=20),
        (STEP.KEEPING_WARM, REASON.KEEPING_WARM, "version v1 keeps its pods until 12:00:40Z"),
        id="the old version is kept warm",
    ),
    pytest.param(
        a_model(asking="v2").with_live("v2").with_retired("v1", pods=2),
        (STEP.DRAINING, REASON.DRAINING, "the pods of version v1 answer what is still open"),
        id="the old version drains",
    ),
    pytest.param(
        a_model(asking="v2").with_live("v2").with_retired("v1", desired=1),
        (STEP.DRAINING, REASON.DRAINING, "the pods of version v1 answer what is still open"),
        id="a Deployment without pods is still to be scaled down",
    ),
    pytest.param(
        a_model(replicas=2).with_live("v1", ready=0),
        (STEP.WAITING_FOR_READY_PODS, REASON.NO_READY_PODS, "0 of 2 pods of version v1 are ready"),
        id="all pods of the live version were lost",
    ),
    pytest.param(
        a_model(replicas=0).with_live("v1", ready=0),
        (STEP.HIBERNATED, REASON.HIBERNATED, "spec.replicas is 0: every revision is scaled to 0"),
        id="the model sleeps",
    ),
    pytest.param(
        AT_REST.with_somebody_elses("Service", observed.Child.STABLE),
        (
            STEP.STOPPED,
            REASON.NAME_CONFLICT,
            "Service sentiment belongs to Helm release other: rename this model or remove that object",
        ),
        id="somebody else has the name",
    ),
    pytest.param(
        a_model(asking="v2", obstacle=OBSTACLE).with_live("v1"),
        (STEP.STOPPED, REASON.IMAGE_NOT_ALLOWED, "spec.runtime.image x is not on the list"),
        id="the image is not allowed",
    ),
]


def _condition(says: status.Status, kind: reasons.ConditionType) -> status.Condition | None:
    return next((c for c in says.conditions if c.type is kind), None)


def _holds(scene: Scene, kind: reasons.ConditionType) -> bool:
    condition = _condition(scene.plan.status, kind)
    return condition is not None and condition.status


@pytest.mark.parametrize(("scene", "step"), STEPS)
def test_the_step_when(scene: Scene, step: tuple[reasons.RolloutStep, reasons.ConditionReason, str]) -> None:
    says = scene.plan.status
    progressing = _condition(says, TYPE.PROGRESSING)
    assert progressing is not None
    assert (says.step, progressing.reason, says.message) == step
    assert progressing.message == says.message


MOVING = (True, True, False)
STILL = (False, False, False)
ASLEEP = a_model(replicas=0).with_live("v1", ready=0)
RESTLESS = (False, True, False)
CONDITIONS = [
    pytest.param(CREATED, False, False, MOVING, id="a model has just been applied"),
    pytest.param(FIRST, False, True, MOVING, id="its first version has some ready pods"),
    pytest.param(AT_REST, True, True, STILL, id="at rest"),
    pytest.param(COMING.with_revision("v2"), False, True, MOVING, id="a new version warms up"),
    pytest.param(
        COMING.with_revision("v2", desired=0, rejected=a_verdict()),
        False,
        True,
        (False, False, True),
        id="the new version was rejected",
    ),
    pytest.param(LAGGING.switched("v1", seconds_ago=1), False, True, MOVING, id="the selector has moved"),
    pytest.param(WARM.switched("v1", seconds_ago=20), True, True, (True, False, False), id="the old is warm"),
    pytest.param(BAKING, True, True, MOVING, id="the new version is watched"),
    pytest.param(a_model().with_live("v1", ready=0), False, False, MOVING, id="all pods were lost"),
    pytest.param(ASLEEP, True, False, STILL, id="the model sleeps"),
    pytest.param(a_model(replicas=0), True, False, STILL, id="it has slept from the beginning"),
    pytest.param(
        a_model(replicas=0).with_live("v1", ready=0, desired=1), False, False, RESTLESS, id="it is to sleep"
    ),
    pytest.param(
        a_model(replicas=0).with_live("v1", ready=0, pods=1), False, False, RESTLESS, id="it falls asleep"
    ),
    pytest.param(
        AT_REST.with_somebody_elses("Service", observed.Child.STABLE),
        True,
        True,
        (False, False, True),
        id="a name is taken",
    ),
]


@pytest.mark.parametrize(("scene", "ready", "serving", "others"), CONDITIONS)
def test_the_conditions_when(
    scene: Scene,
    ready: bool,  # noqa: FBT001
    serving: bool,  # noqa: FBT001
    others: tuple[bool, bool, bool],
) -> None:
    assert _holds(scene, TYPE.READY) is ready
    assert _holds(scene, TYPE.SERVING) is serving
    assert tuple(_holds(scene, kind) for kind in (TYPE.PROGRESSING, TYPE.RECONCILING, TYPE.STALLED)) == others


def test_serving_says_who_answers() -> None:
    serving = _condition(COMING.plan.status, TYPE.SERVING)
    assert serving is not None
    assert serving.message == "version v1 answers with 2 of 2 pods"


def test_not_serving_says_why() -> None:
    scene = a_model().with_live("v1", ready=0, problems=(a_problem(SEVERITY.BLOCKING),))
    serving = _condition(scene.plan.status, TYPE.SERVING)
    assert serving is not None
    assert serving.reason is REASON.NO_READY_PODS
    refused = "no pod is ready behind the Service: requests are refused"
    assert serving.message == f"{refused} (Pod sentiment-v2-x: 0/2 nodes are available)"


def test_sleeping_is_no_failure_to_serve() -> None:
    serving = _condition(a_model(replicas=0).with_live("v1", ready=0).plan.status, TYPE.SERVING)
    assert serving is not None
    assert serving.reason is REASON.HIBERNATED


def test_active_and_target_are_told_apart() -> None:
    says = COMING.with_revision("v2", ready=1).plan.status
    assert says.active == status.Version("v1", "v1", STATE.LIVE, 2)
    assert says.target == status.Version("v2", "v2", STATE.STARTING, 1)
    assert (says.replicas, says.ready_replicas) == (2, 2)


def test_a_first_version_that_was_never_ready_is_not_active() -> None:
    says = a_model().with_revision("v1").with_service("v1").plan.status
    assert says.active is None
    assert (says.replicas, says.ready_replicas) == (0, 0)


def test_the_target_is_named_before_it_exists() -> None:
    assert COMING.plan.status.target == status.Version("v2", "v2", STATE.STARTING, 0, made=False)


def test_autoscalers_count_the_active_revision_only() -> None:
    assert COMING.plan.status.selector == "slipway.dev/model=sentiment,slipway.dev/revision=v1"
    assert CREATED.plan.status.selector == ""


def test_the_url_is_the_stable_service() -> None:
    assert AT_REST.plan.status.url == "http://sentiment.default.svc"


@pytest.mark.parametrize(
    ("scene", "revision", "state"),
    [
        pytest.param(COMING, "v1", STATE.LIVE, id="it has the traffic"),
        pytest.param(COMING.with_revision("v2", ready=1), "v2", STATE.STARTING, id="it has too few pods"),
        pytest.param(COMING.with_revision("v2", ready=2), "v2", STATE.READY, id="it has enough pods"),
        pytest.param(WARM, "v1", STATE.WARM, id="it had the traffic and keeps its pods"),
        pytest.param(COMING.with_retired("v0", pods=1), "v0", STATE.DRAINING, id="its last pods are ending"),
        pytest.param(COMING.with_retired("v0"), "v0", STATE.RETIRED, id="it has no pods"),
        pytest.param(COMING.with_retired("v0", rejected=a_verdict()), "v0", STATE.REJECTED, id="rejected"),
        pytest.param(COMING.with_retired("v0", released=a_verdict()), "v0", STATE.BLOCKED, id="released"),
        pytest.param(CREATED.with_revision("v1"), "v1", STATE.STARTING, id="there is no Service yet"),
    ],
)
def test_a_versions_state_when(scene: Scene, revision: str, state: reasons.VersionState) -> None:
    listed = {version.revision: version for version in scene.plan.status.versions}
    assert listed[revision].state is state


def test_the_latest_attempt_is_listed_first() -> None:
    scene = COMING.with_retired("v0").with_revision("v2", rejected=a_verdict(REASON.CRASH_LOOP))
    assert [v.revision for v in scene.plan.status.versions] == ["v2", "v1", "v0"]
    assert [v.reason for v in scene.plan.status.versions] == [REASON.CRASH_LOOP, "", ""]


def test_what_the_api_server_refuses_stalls_the_rollout_and_leaves_the_truth_about_traffic() -> None:
    reason = REASON.QUOTA_EXCEEDED
    says = reporting.refused(COMING.plan.status, "pods are forbidden: exceeded quota", reason)
    assert (says.step, says.message) == (STEP.BLOCKED, "pods are forbidden: exceeded quota")
    held = {c.type: c.status for c in says.conditions}
    assert held == {TYPE.READY: False, TYPE.SERVING: True, TYPE.PROGRESSING: False, TYPE.STALLED: True}
    assert {c.reason for c in says.conditions if c.type is TYPE.STALLED} == {reason}


def test_the_status_is_of_what_was_seen_and_not_of_what_is_planned() -> None:
    scene = COMING.with_revision("v2", ready=2)
    assert scene.actions
    assert scene.plan.status.active == status.Version("v1", "v1", STATE.LIVE, 2)
    assert dataclasses.replace(scene, now=NOW).plan == scene.plan


def test_each_version_that_can_be_asked_by_itself_says_where() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", has_service=False).with_retired("v0")
    urls = {version.revision: version.url for version in scene.plan.status.versions}
    assert urls == {"v1": "http://sentiment-v1.default.svc", "v2": "", "v0": ""}


def test_what_is_refused_beside_a_rollout_is_a_condition_of_its_own_and_nothing_else() -> None:
    before = a_model(asking="v2").with_live("v1").plan.status
    assert reporting.with_refused(before, ()) is before
    says = reporting.with_refused(before, ("cannot apply the NetworkPolicy: no", "cannot post an Event: no"))
    assert dataclasses.replace(says, conditions=before.conditions) == before
    (added,) = says.conditions[len(before.conditions) :]
    assert (added.type, added.status) == (reasons.ConditionType.SUPPORTING_RESOURCES_REFUSED, True)
    assert added.reason == reasons.ConditionReason.WRITE_REFUSED
    assert added.message.startswith("cannot apply the NetworkPolicy: no; cannot post an Event: no; ")
