"""A successor that finds no room is given that of who serves nobody, and of what is only kept hot."""

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed, scarcity
from slipway_operator.planning import actions, capacity, inquiry, retirement, room
from tests.planning.situations import Scene, a_model, a_problem, a_verdict, ago, ahead

SEVERITY, REASON = observed.Severity, reasons.ConditionReason
NO_ROOM = a_problem(SEVERITY.BLOCKING)
NO_QUOTA = a_problem(SEVERITY.BLOCKING, REASON.QUOTA_EXCEEDED)
CRASHED = a_problem(SEVERITY.PASSING, REASON.CRASH_LOOP)


def _a_first_version(*, ready: int = 0, problems: tuple[observed.Problem, ...] = (CRASHED,)) -> Scene:
    """Behind the Service from the start, and overtaken."""
    return a_model(asking="v2").with_revision("v1", ready=ready, problems=problems).with_service("v1")


STUCK = _a_first_version().with_revision("v2", problems=(NO_ROOM,))


@pytest.mark.parametrize("problem", [NO_ROOM, NO_QUOTA], ids=["on any node", "in the quota"])
def test_a_first_version_that_never_came_up_gives_way_to_a_successor_without_room(
    problem: observed.Problem,
) -> None:
    scene = _a_first_version().with_revision("v2", problems=(problem,))
    assert scene.actions == (actions.GiveWay("v1"),)


def test_a_first_version_with_which_nothing_is_wrong_yet_has_its_time() -> None:
    starting = _a_first_version(problems=()).with_revision("v2", problems=(NO_ROOM,))
    assert room.make(starting.situation).look_again == ahead(540)
    late = dataclasses.replace(starting, now=ahead(540))
    assert room.make(late.situation).actions == (actions.GiveWay("v1"),)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(_a_first_version(), id="its successor does not exist yet"),
        pytest.param(_a_first_version().with_revision("v2", problems=(CRASHED,)), id="nobody needs its room"),
        pytest.param(
            _a_first_version().with_revision("v2", desired=0, problems=(NO_ROOM,), released=a_verdict()),
            id="its successor was released",
        ),
        pytest.param(_a_first_version(ready=1).with_revision("v2", problems=(NO_ROOM,)), id="it serves"),
        pytest.param(
            a_model(asking="v2").with_live("v1", ready=0).with_revision("v2", problems=(NO_ROOM,)),
            id="it has served",
        ),
        pytest.param(STUCK.switched("v0", seconds_ago=9), id="the traffic was moved to it"),
        pytest.param(
            dataclasses.replace(STUCK, asked=dataclasses.replace(STUCK.asked, paused=True)), id="paused"
        ),
    ],
)
def test_a_live_version_keeps_its_pods_when(scene: Scene) -> None:
    assert not any(isinstance(action, actions.GiveWay) for action in scene.actions)


def test_what_has_given_way_does_not_take_its_room_back() -> None:
    scene = a_model(asking="v2").with_retired("v1", promoted=None).with_service("v1").with_revision("v2")
    assert capacity.follow(scene.situation).actions == ()


def test_what_has_given_way_comes_back_when_it_is_asked_for_again() -> None:
    scene = a_model(asking="v1").with_retired("v1", promoted=None).with_service("v1")
    assert capacity.follow(scene.situation).actions == (actions.Scale("v1", 1),)


def _a_third_version_in_the_bake(**fields: object) -> Scene:
    scene = a_model(asking="v3", bake=60).with_revision("v1", ready=1, promoted_at=ago(900))
    scene = scene.with_live("v2", **fields).switched("v1", seconds_ago=5)  # type: ignore[arg-type]
    return scene.with_revision("v3", problems=(NO_ROOM,))


def test_what_is_kept_hot_gives_its_room_to_a_third_version() -> None:
    decided = retirement.retire(_a_third_version_in_the_bake().situation)
    assert decided.actions == (actions.Scale("v1", 0),)


def test_nobody_leaves_while_the_requests_go_back() -> None:
    crash = observed.Symptom(observed.Fault.CRASHED, ago(1), "Pod x crashed")
    scene = _a_third_version_in_the_bake(symptoms=(crash,))
    assert [type(action) for action in scene.actions] == [actions.Reject, actions.SwitchTraffic]


SHORTAGE = scarcity.Shortage(
    resource="nvidia.com/gpu",
    each=1,
    needed=2,
    free=0,
    holders=(scarcity.Holder(reasons.HolderKind.OLD_VERSION, "default/sentiment-v1-x", 1),),
    since=ago(60),
)


def test_what_finds_no_room_tells_who_has_what_it_needs() -> None:
    scene = a_model(asking="v2").with_live("v1").with_revision("v2", problems=(NO_QUOTA, CRASHED))
    starved = scene.situation.target
    assert starved is not None
    known = room.told(starved, SHORTAGE)
    told = dataclasses.replace(scene, revisions=(scene.revisions[0], known))
    assert [p.reason for p in known.problems] == [REASON.HELD_BY_OLD_VERSION, CRASHED.reason]
    says = told.plan.status
    assert says.blocked == SHORTAGE
    assert says.step is reasons.RolloutStep.BLOCKED
    assert (
        "2 nvidia.com/gpu are needed (1 a pod), 0 are free, since 11:59:00Z; "
        "held by default/sentiment-v1-x (OldVersion, 1) (0/2 nodes are available); "
        "version v1 keeps its pods meanwhile: make room, ask for fewer replicas"
    ) in says.message


@pytest.mark.parametrize(
    ("scene", "of"),
    [
        pytest.param(a_model().with_live("v1"), None, id="of nobody when all is well"),
        pytest.param(a_model(), None, id="of nobody where nothing is"),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_revision("v2", problems=(CRASHED, NO_QUOTA)),
            "v2",
            id="of the new version",
        ),
        pytest.param(
            a_model(asking="v2").with_live("v1", problems=(NO_QUOTA,)).with_revision("v2"),
            "v1",
            id="of the live version, which is to have one pod more",
        ),
    ],
)
def test_who_holds_what_is_needed_is_asked(scene: Scene, of: str | None) -> None:
    assert inquiry.questions(scene.situation).room_of == of


@pytest.mark.parametrize(
    ("free", "held", "reason"),
    [
        pytest.param(0, [("ENDING", 2)], REASON.HELD_BY_ENDING_PODS, id="what is ending suffices"),
        pytest.param(0, [("OLD_VERSION", 2)], REASON.HELD_BY_OLD_VERSION, id="the old version has it"),
        pytest.param(
            0, [("ENDING", 1), ("OTHER", 1)], REASON.HELD_BY_OTHERS, id="what is ending does not suffice"
        ),
        pytest.param(1, [("ENDING", 1)], REASON.HELD_BY_ENDING_PODS, id="with what is free it suffices"),
        pytest.param(None, [], REASON.UNSCHEDULABLE, id="nobody is known to have it"),
        pytest.param(
            2, [("OTHER", 9)], REASON.UNSCHEDULABLE, id="enough is free, and the want is another one"
        ),
    ],
)
def test_of_two_that_a_pod_needs(
    free: int | None, held: list[tuple[str, int]], reason: reasons.ConditionReason
) -> None:
    holders = tuple(scarcity.Holder(reasons.HolderKind[kind], "default/x", count) for kind, count in held)
    assert scarcity.reason_of(dataclasses.replace(SHORTAGE, each=2, free=free, holders=holders)) is reason


def test_a_shortage_without_numbers_is_told_as_such() -> None:
    unknown = dataclasses.replace(SHORTAGE, free=None, holders=SHORTAGE.holders * 5, quota="gpus")
    text = scarcity.sentence(unknown)
    assert "how many are free is not known within the quota gpus" in text
    assert text.endswith(", 2 more")
    assert scarcity.sentence(dataclasses.replace(SHORTAGE, holders=())).endswith("since 11:59:00Z")


def test_a_quota_is_a_reason_of_its_own_whoever_holds_what_it_grants() -> None:
    assert scarcity.reason_of(dataclasses.replace(SHORTAGE, quota="gpus")) is REASON.QUOTA_EXCEEDED


def test_what_more_is_known_of_a_revision_leaves_the_others_alone() -> None:
    seen = a_model(asking="v2").with_live("v1").with_revision("v2").situation.seen
    starved = seen.revision("v2")
    assert starved is not None
    known = seen.with_revision(room.told(starved, SHORTAGE))
    assert [(r.id, r.shortage) for r in known.revisions] == [("v1", None), ("v2", SHORTAGE)]
