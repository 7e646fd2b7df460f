"""An operator that dies at any write, or twice, brings about what an undisturbed one does, and no more."""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Callable, Collection

import pytest

from slipway_operator.domain import target
from slipway_operator.planning import actions
from tests.planning import convergence, simulated_operator, world

Step = Callable[[world.World], None]


def applies(version: str) -> Step:
    return lambda cluster: cluster.user_asks_for(version)


def wants(replicas: int) -> Step:
    return lambda cluster: cluster.user_wants_replicas(replicas)


def retries(cluster: world.World) -> None:
    cluster.user_wants_a_retry()


def with_the_last_word(cluster: world.World) -> None:
    cluster.user_wants_the_last_word(manual=True)


def promotes(version: str) -> Step:
    def step(cluster: world.World) -> None:
        cluster.user_asks_for(version)
        cluster.user_promotes()

    return step


def by_turns(cluster: world.World) -> None:
    cluster.user_chooses(target.Strategy.ROLLING, max_surge=1)


def nothing(cluster: world.World) -> None:
    """The model as it was applied."""


SCENARIOS: dict[str, tuple[Step, ...]] = {
    "a first version": (nothing,),
    "a new version": (nothing, applies("v2")),
    "back to the old version": (nothing, applies("v2"), applies("v1")),
    "versions until the history is full": (nothing, *map(applies, ("v2", "v3", "v4", "v1"))),
    "a wrong version, then a good one": (nothing, applies("wrong"), applies("v2")),
    "a wrong version, tried again, then back": (nothing, applies("wrong"), retries, applies("v1")),
    "a version without room, then a good one": (nothing, applies("homeless"), applies("v2")),
    "a version whose source is not there, then a good one": (nothing, applies("absent"), applies("v2")),
    "a version of other bytes, tried again, then a good one": (
        nothing,
        applies("forged"),
        retries,
        applies("v2"),
    ),
    "by turns, a version whose source is not there": (by_turns, applies("absent"), applies("v2")),
    "a version that stays silent": (nothing, applies("silent")),
    "more replicas, fewer, and a new version": (nothing, wants(4), wants(1), applies("v2")),
    "asleep, and awake with a new version": (nothing, wants(0), applies("v2"), wants(3)),
    "promoted by hand, and back": (
        with_the_last_word,
        promotes("v2"),
        applies("v1"),
    ),
    "by turns, and back": (by_turns, applies("v2"), applies("v1")),
    "by turns, a wrong version and then a good one": (by_turns, applies("wrong"), applies("v2")),
    "replicas and version at once": (nothing, wants(3), lambda w: (applies("v2")(w), wants(1)(w))[0]),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How a scenario ended, and the objects that came and went on the way."""

    end: object
    comings_and_goings: collections.Counter[str]
    writes: int


def play(
    steps: tuple[Step, ...], *, dies_before: Collection[int] = (), dies_after: Collection[int] = ()
) -> Outcome:
    cluster = world.World(replicas=2)
    operator = simulated_operator.Operator(cluster, dies_before=dies_before, dies_after=dies_after)
    for step in steps:
        step(cluster)
        taken = convergence.converge(cluster, operator, watch=Availability(cluster))
        convergence.check_end(cluster, taken)
    kinds = (
        actions.CreateResolver,
        actions.DeleteResolver,
        actions.CreateDeployment,
        actions.CreateRevisionService,
        actions.CreateTrafficService,
        actions.SwitchTraffic,
        actions.WidenTraffic,
        actions.DeleteRevision,
        actions.CreatePreviewService,
        actions.PointPreview,
    )
    counted = collections.Counter(str(action) for action in operator.written if isinstance(action, kinds))
    return Outcome(_end(cluster), counted, len(operator.written))


def _end(cluster: world.World) -> object:
    assert cluster.service is not None
    sizes = {
        d.revision: (d.desired, bool(d.rejected), bool(d.released)) for d in cluster.deployments.values()
    }
    return cluster.service.revision, sizes


class Availability:
    """Requests never have fewer pods than they had, but for what the user asks."""

    def __init__(self, cluster: world.World) -> None:
        self._world = cluster
        self._before = len(cluster.answering())

    def __call__(self) -> None:
        now = len(self._world.answering())
        assert now >= min(self._before, self._world.asked.replicas), f"I1: {now} pods, {self._before} before"
        self._before = now


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_dying_before_any_write_changes_nothing(scenario: str) -> None:
    undisturbed = play(SCENARIOS[scenario])
    for number in range(1, undisturbed.writes + 1):
        outcome = play(SCENARIOS[scenario], dies_before={number})
        assert outcome.end == undisturbed.end
        assert outcome.comings_and_goings == undisturbed.comings_and_goings, f"I8: write {number}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_dying_after_any_write_changes_nothing(scenario: str) -> None:
    undisturbed = play(SCENARIOS[scenario])
    for number in range(1, undisturbed.writes + 1):
        outcome = play(SCENARIOS[scenario], dies_after={number})
        assert outcome.end == undisturbed.end
        assert outcome.comings_and_goings == undisturbed.comings_and_goings, f"I8: write {number}"


@pytest.mark.parametrize("scenario", ["a new version", "a wrong version, then a good one"])
def test_dying_twice_changes_nothing(scenario: str) -> None:
    undisturbed = play(SCENARIOS[scenario])
    for first, second in itertools.combinations(range(1, undisturbed.writes + 2), 2):
        outcome = play(SCENARIOS[scenario], dies_after={first}, dies_before={second})
        assert outcome.end == undisturbed.end
        assert outcome.comings_and_goings == undisturbed.comings_and_goings, f"I8: {first}, {second}"


INTERRUPTIONS = ["v3", "v1", "wrong", "homeless"]


@pytest.mark.parametrize("changed_to", INTERRUPTIONS)
@pytest.mark.parametrize("begun", ["v2", "wrong", "homeless"])
def test_a_change_of_mind_at_any_write_ends_where_the_last_word_points(begun: str, changed_to: str) -> None:
    reference = play((nothing, applies(begun)))
    for number in range(1, reference.writes + 1):
        _change_of_mind(begun, changed_to, number)


def _change_of_mind(begun: str, changed_to: str, number: int) -> None:
    cluster = world.World(replicas=2)
    operator = simulated_operator.Operator(cluster, dies_after={number})
    convergence.converge(cluster, operator)
    cluster.user_asks_for(begun)
    while len(operator.written) < number and operator.looks().plan.actions:
        operator.writes_at_most()
        cluster.settles()
    cluster.user_asks_for(changed_to)
    convergence.check_end(cluster, convergence.converge(cluster, operator, watch=Availability(cluster)))
