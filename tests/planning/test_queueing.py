"""When only so many rollouts may be under way: who begins, who waits, and what never waits."""

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import fleet, observed, target
from slipway_operator.planning import actions, happenings, inquiry, queueing
from tests.planning.situations import NOW, Scene, a_model, a_verdict, ago, ahead

STRATEGY = target.Strategy
TURN = fleet.Place(2, ahead=("default/b",), running=("default/a",))


def entry(
    name: str, *, asked: float = 60, running: bool = False, waiting: bool = True, devices: int = 0
) -> fleet.Entry:
    return fleet.Entry(f"default/{name}", running, waiting and not running, ago(asked), devices)


ME = entry("me")


def running(name: str, *, devices: int = 0) -> fleet.Entry:
    return entry(name, running=True, devices=devices)


@pytest.mark.parametrize(
    ("me", "models", "limits", "place"),
    [
        pytest.param(ME, [], fleet.Limits(1), None, id="alone"),
        pytest.param(ME, [running("a")], fleet.Limits(2), None, id="beside one where two may"),
        pytest.param(ME, [running("a")], fleet.Limits(1), (1, ()), id="beside one where one may"),
        pytest.param(
            ME,
            [running("a"), entry("b", asked=90)],
            fleet.Limits(2),
            (2, ("b",)),
            id="behind who asked first",
        ),
        pytest.param(
            ME, [running("a"), entry("z", asked=60)], fleet.Limits(2), None, id="before a later name"
        ),
        pytest.param(
            ME,
            [entry("b", asked=90), entry("c", asked=80)],
            fleet.Limits(2),
            (3, ("b", "c")),
            id="third of two",
        ),
        pytest.param(
            ME, [entry("b", waiting=False, asked=90)], fleet.Limits(1), None, id="beside one at rest"
        ),
        pytest.param(entry("me", running=True), [running("a")], fleet.Limits(1), None, id="in mid-rollout"),
        pytest.param(
            entry("me", devices=2),
            [running("a", devices=3)],
            fleet.Limits(devices=4),
            (1, ()),
            id="too many GPUs",
        ),
        pytest.param(
            entry("me", devices=1),
            [running("a", devices=3)],
            fleet.Limits(devices=4),
            None,
            id="as many GPUs",
        ),
        pytest.param(
            entry("me", devices=9), [], fleet.Limits(devices=4), None, id="alone with more than all"
        ),
        pytest.param(ME, [running("a", devices=9)], fleet.Limits(devices=4), None, id="without any GPU"),
        pytest.param(
            ME,
            [running("a", devices=3), entry("b", asked=90, devices=9)],
            fleet.Limits(9, devices=4),
            (2, ("b",)),
            id="behind a large one, that nobody passes",
        ),
    ],
)
def test_a_rollout_may_begin_or_has_a_place(
    me: fleet.Entry,
    models: list[fleet.Entry],
    limits: fleet.Limits,
    place: tuple[int, tuple[str, ...]] | None,
) -> None:
    found = queueing.place(me, [*models, me], limits)
    got = (found.position, tuple(name.removeprefix("default/") for name in found.ahead)) if found else None
    assert got == place


@pytest.mark.parametrize(
    ("limits", "holds"), [(fleet.Limits(), False), (fleet.Limits(1), True), (fleet.Limits(devices=1), True)]
)
def test_nothing_is_limited_unless_somebody_says_so(limits: fleet.Limits, holds: bool) -> None:  # noqa: FBT001
    assert bool(limits) is holds


def test_of_any_number_that_ask_at_once_as_many_begin_as_may() -> None:
    models = [entry(f"m{n}", asked=60 - n % 3) for n in range(9)]
    begun = [m for m in models if queueing.place(m, models, fleet.Limits(4)) is None]
    assert len(begun) == 4
    assert sorted(m.asked_at for m in begun) == sorted(m.asked_at for m in models)[:4]


SERVED, LATER = ago(9000), ago(300)


@pytest.mark.parametrize(
    ("scene", "state"),
    [
        pytest.param(a_model().with_live("v1"), "rests", id="nothing else is asked for"),
        pytest.param(a_model(asking="v2").with_live("v1"), "waits", id="another version is asked for"),
        pytest.param(
            a_model(asking="v2").with_live("v1").without_resolver(),
            "rests",
            id="another version is asked for, and nobody knows yet whether it can begin",
        ),
        pytest.param(a_model(asking="v1").with_revision("v1"), "rests", id="a first version comes up"),
        pytest.param(a_model(), "rests", id="a first version is asked for"),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_revision("v2"), "runs", id="it is being tried"
        ),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_revision("v2", desired=0),
            "runs",
            id="it has its Deployment, and no pod yet",
        ),
        pytest.param(
            a_model(asking="v2").with_revision("v1", promoted_at=SERVED).with_live("v2", promoted_at=LATER),
            "runs",
            id="the old one is kept warm",
        ),
        pytest.param(
            a_model(asking="v2").with_retired("v1").with_live("v2", promoted_at=LATER),
            "rests",
            id="the old one has left",
        ),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_revision("v2", desired=0, rejected=a_verdict()),
            "rests",
            id="it was rejected",
        ),
        pytest.param(
            a_model(asking="v2")
            .with_live("v1", promoted_at=SERVED)
            .with_revision("v2", desired=0, rejected=a_verdict(), promoted_at=LATER),
            "rests",
            id="it was left after the switch",
        ),
        pytest.param(
            a_model(asking="v2", retry_token="x")
            .with_live("v1")
            .with_revision("v2", desired=0, rejected=a_verdict()),
            "waits",
            id="it was rejected, and is to be tried again",
        ),
        pytest.param(
            a_model(asking="v2")
            .with_live("v1")
            .with_revision("v2", desired=0, released=a_verdict(seconds_ago=1)),
            "rests",
            id="it was let go, a moment ago",
        ),
        pytest.param(
            a_model(asking="v2")
            .with_live("v1")
            .with_revision("v2", desired=0, released=a_verdict(seconds_ago=700)),
            "waits",
            id="it was let go, and its pause is over",
        ),
        pytest.param(
            a_model(asking="v1", strategy=STRATEGY.ROLLING)
            .with_live("v2", promoted_at=SERVED)
            .with_revision("v1", desired=0, promoted_at=ago(20_000)),
            "runs",
            id="it goes back by turns, and has no pod yet",
        ),
        pytest.param(
            a_model(asking="v1", strategy=STRATEGY.ROLLING)
            .with_live("v2", promoted_at=SERVED)
            .with_retired("v1", promoted=20_000, attempt_started_at=ago(21_000), latched=0),
            "waits",
            id="it is to go back by turns",
        ),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_revision("v2", desired=0, latched=1),
            "waits",
            id="it was overtaken, and is asked for again",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.ROLLING, max_surge=0, max_unavailable=1).with_live("v1"),
            "rests",
            id="no turn is possible",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.ROLLING, manual=True).with_live("v1"),
            "rests",
            id="nobody has promoted what is to come by turns",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.ROLLING, manual=True, approved="v2").with_live("v1"),
            "waits",
            id="it is promoted, and is to come by turns",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.RECREATE, allow_downtime=True, manual=True).with_live(
                "v1"
            ),
            "rests",
            id="nobody has promoted what costs an outage",
        ),
        pytest.param(
            a_model(asking="v2", manual=True).with_live("v1"),
            "waits",
            id="it is to be promoted when it is ready",
        ),
        pytest.param(
            a_model(asking="v2")
            .with_retired("v1")
            .with_revision("v2", desired=0, released=a_verdict(seconds_ago=1)),
            "rests",
            id="it was let go, and what served before has no pods either",
        ),
        pytest.param(a_model(asking="v2", paused=True).with_live("v1"), "rests", id="it is paused"),
        pytest.param(a_model(asking="v2", hands_off=True).with_live("v1"), "rests", id="hands are off"),
        pytest.param(a_model(asking="v2", replicas=0).with_live("v1"), "rests", id="it is to hibernate"),
        pytest.param(
            a_model(
                asking="v2", obstacle=target.Obstacle(reasons.ConditionReason.IMAGE_NOT_ALLOWED, "no")
            ).with_live("v1"),
            "rests",
            id="it may not be created",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.RECREATE, allow_downtime=True).with_live("v1", desired=0),
            "runs",
            id="it is being recreated, and has no pods",
        ),
    ],
)
def test_a_model(scene: Scene, state: str) -> None:
    found = made(scene)
    assert {(False, False): "rests", (True, False): "runs", (False, True): "waits"}[
        (found.running, found.waiting)
    ] == state


def made(scene: Scene, *, devices: int = 2) -> fleet.Entry:
    seen = scene.situation.seen
    return queueing.entry_of(
        "default/me",
        scene.asked,
        seen.revisions,
        resolvers=seen.resolvers,
        asked_at=ago(99),
        devices=devices,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("strategy", "devices"),
    [(STRATEGY.BLUE_GREEN, 6), (STRATEGY.ROLLING, 2), (STRATEGY.RECREATE, 0)],
    ids=["a second set of pods", "one pod more", "none"],
)
def test_a_rollout_holds_in_addition(strategy: target.Strategy, devices: int) -> None:
    assert made(a_model(asking="v2", replicas=3, strategy=strategy)).devices == devices


def test_who_was_let_go_asks_anew() -> None:
    scene = a_model(asking="v2").with_live("v1")
    assert made(scene).asked_at == ago(99)
    released = scene.with_revision("v2", desired=0, released=a_verdict(seconds_ago=7))
    assert made(released).asked_at == ago(7)


def queued(scene: Scene) -> Scene:
    return dataclasses.replace(scene, turn=TURN)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(a_model(asking="v2").with_live("v1"), id="a version that is not begun"),
        pytest.param(
            a_model(asking="v2")
            .with_live("v1")
            .with_revision("v2", desired=0, released=a_verdict(seconds_ago=700)),
            id="a version that is to be tried again",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.RECREATE, allow_downtime=True).with_live("v1"),
            id="a version that would cost an outage",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.ROLLING).with_live("v1"),
            id="a version that comes by turns",
        ),
    ],
)
def test_waits_and_says_behind_whom(scene: Scene) -> None:
    assert inquiry.questions(scene.situation, limited=True).turn
    assert not inquiry.questions(scene.situation).turn
    waiting = queued(scene).plan
    assert waiting.actions == ()
    assert waiting.look_again == ahead(5)
    says = waiting.status
    assert (says.step, says.turn) == (reasons.RolloutStep.QUEUED, TURN)
    assert says.message == "version v2 waits for its turn, at place 2 behind default/b; under way: default/a"


BAKING = a_model(asking="v2", bake=60).with_revision("v1", ready=1, promoted_at=SERVED)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(a_model(), id="a first version"),
        pytest.param(
            a_model(asking="v2").with_live("v1", ready=0, promoted_at=SERVED), id="a repair of what fails"
        ),
        pytest.param(a_model().with_live("v1"), id="a model at rest"),
        pytest.param(
            dataclasses.replace(
                BAKING.with_live("v2").switched("v1", seconds_ago=9), asked=a_model(bake=60).asked
            ),
            id="the way back, asked for",
        ),
        pytest.param(
            BAKING.with_live(
                "v2", symptoms=(observed.Symptom(observed.Fault.CRASHED, ago(1), "Pod x crashed"),)
            ).switched("v1", seconds_ago=9),
            id="the way back, on evidence",
        ),
        pytest.param(a_model(replicas=3).with_live("v1", desired=1), id="more replicas"),
        pytest.param(
            a_model(asking="v2").with_live("v1").with_somebody_elses("Service", observed.Child.PROOF, "v2"),
            id="a version whose name is taken",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.ROLLING, max_surge=0, max_unavailable=1).with_live("v1"),
            id="a version for which no turn is possible",
        ),
        pytest.param(
            a_model(asking="v2", strategy=STRATEGY.ROLLING, manual=True).with_live("v1"),
            id="a version that nobody has promoted yet",
        ),
    ],
)
def test_never_waits(scene: Scene) -> None:
    assert not inquiry.questions(scene.situation, limited=True).turn


def test_what_was_overtaken_begins_anew_by_turns_and_waits_for_it() -> None:
    scene = a_model(asking="v2", strategy=STRATEGY.ROLLING).with_live("v1")
    overtaken = scene.with_revision("v2", desired=0, latched=1)
    assert overtaken.actions == (actions.StartAttempt("v2", 0, NOW, 1),)
    assert inquiry.questions(overtaken.situation, limited=True).turn
    assert queued(overtaken).actions == ()


def test_what_serves_is_kept_serving_in_the_queue() -> None:
    waiting = queued(a_model(asking="v2", replicas=3).with_live("v1", desired=1))
    assert waiting.actions == (actions.Scale("v1", 3),)
    assert queued(a_model(asking="v2").with_live("v1").without_service()).actions[0] == (
        actions.CreateTrafficService("v1")
    )


def test_a_long_queue_is_told_in_few_words() -> None:
    names = tuple(f"default/m{n}" for n in range(9))
    text = queueing.sentence(fleet.Place(10, names, ("default/a",)))
    assert text.endswith("default/m4, 4 more; under way: default/a")
    assert queueing.sentence(fleet.Place(1, (), ())).startswith("waits for its turn, at place 1; under way")


def test_the_queue_is_announced_once() -> None:
    says = queued(a_model(asking="v2").with_live("v1")).plan.status
    told = happenings.of_step(reasons.RolloutStep.COMPLETE, says)
    assert told is not None
    assert told.reason is reasons.EventReason.ROLLOUT_QUEUED
    assert happenings.of_step(reasons.RolloutStep.QUEUED, says) is None
