"""The diagram in the docs is what happens: stories are played, and a step that follows another is drawn."""

from __future__ import annotations

import datetime
import itertools
import pathlib
import re
from collections.abc import Callable

import pytest

from slipway_operator.domain import observed, target
from slipway_operator.planning import actions
from tests.planning import look, simulated_operator, world

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "architecture.md"


class Witness(simulated_operator.Operator):
    """Remembers the steps that the status went through."""

    def __init__(self, cluster: world.World) -> None:
        super().__init__(cluster)
        self.steps: list[str] = []

    def looks(self) -> look.Look:
        taken = super().looks()
        step = str(taken.plan.status.step)
        moves = any(isinstance(action, actions.SwitchTraffic) for action in taken.plan.actions)
        if not moves and self.steps[-1:] != [step]:  # a status from before a switch is not written
            self.steps.append(step)
        return taken


def play(cluster: world.World, operator: Witness) -> None:
    """Until nothing moves: what is under way in the cluster first, then time, up to the next alarm."""
    for _ in range(80):
        taken = operator.works_until_rest()
        if cluster.settles():
            continue
        if taken.plan.look_again is None or taken.plan.status.step in ("Blocked", "Queued", "Rejected"):
            return
        cluster.now = taken.plan.look_again


def a_version_that_is_good(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("v2")
    play(cluster, operator)


def one_after_another(cluster: world.World, operator: Witness) -> None:
    a_version_that_is_good(cluster, operator)
    cluster.user_asks_for("v3")
    play(cluster, operator)


def a_version_that_is_wrong_and_another(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("wrong")
    play(cluster, operator)
    cluster.user_asks_for("v3")
    play(cluster, operator)


def a_version_without_room_and_another(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("homeless")
    play(cluster, operator)
    cluster.user_asks_for("v3")
    play(cluster, operator)


def play_until(step: str, cluster: world.World, operator: Witness) -> None:
    for _ in range(80):
        taken = operator.works_until_rest()
        if operator.steps[-1] == step:
            return
        if not cluster.settles() and taken.plan.look_again is not None:
            cluster.now = taken.plan.look_again
    raise AssertionError(f"{step} does not come: {operator.steps}")


def a_change_of_mind_while_the_old_version_is_warm(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("v2")
    play_until("KeepingWarm", cluster, operator)
    cluster.user_asks_for("v3")
    play(cluster, operator)


def a_version_that_is_not_watched(cluster: world.World, operator: Witness) -> None:
    cluster.user_chooses(target.Strategy.BLUE_GREEN, bake=0)
    a_version_that_is_good(cluster, operator)


def after_an_outage(cluster: world.World, operator: Witness) -> None:
    cluster.user_chooses(target.Strategy.RECREATE, allow_downtime=True)
    cluster.user_asks_for("v2")
    play(cluster, operator)


def a_version_that_crashes_in_its_bake(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("v2")
    play_until("Baking", cluster, operator)
    cluster.pod_crashes(cluster.standing("v2")[0].uid, observed.Severity.PASSING)
    play(cluster, operator)


def the_last_word(cluster: world.World, operator: Witness) -> None:
    cluster.user_wants_the_last_word(manual=True)
    cluster.user_asks_for("v2")
    play(cluster, operator)
    cluster.user_promotes()
    play(cluster, operator)


def what_has_failed_is_tried_again(cluster: world.World, operator: Witness) -> None:
    for version in ("wrong", "homeless"):
        cluster.user_asks_for(version)
        play(cluster, operator)
        cluster.now += datetime.timedelta(minutes=11)  # the deadline is over: it is let go
        operator.works_until_rest()
        cluster.user_wants_a_retry()
        play(cluster, operator)


def a_pause_while_pods_start(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("v2")
    play_until("WaitingForReadyPods", cluster, operator)
    cluster.user_pauses(paused=True)
    operator.works_until_rest()
    cluster.user_pauses(paused=False)
    play(cluster, operator)


def a_pause(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("v2")
    operator.works_until_rest()
    cluster.user_pauses(paused=True)
    operator.works_until_rest()
    cluster.user_pauses(paused=False)
    play(cluster, operator)


def sleep(cluster: world.World, operator: Witness) -> None:
    cluster.user_wants_replicas(0)
    play(cluster, operator)
    cluster.user_wants_replicas(1)
    play(cluster, operator)


def by_turns(cluster: world.World, operator: Witness) -> None:
    cluster.user_chooses(target.Strategy.ROLLING)
    cluster.user_asks_for("v2")
    play(cluster, operator)


def the_queue(cluster: world.World, operator: Witness) -> None:
    cluster.others_come_first = True
    cluster.user_asks_for("v2")
    play(cluster, operator)
    cluster.others_come_first = False
    play(cluster, operator)


def a_source_that_is_not_there_and_another(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("absent")
    play(cluster, operator)
    cluster.now += datetime.timedelta(minutes=1)
    play(cluster, operator)
    cluster.user_asks_for("v3")
    play(cluster, operator)


def a_source_of_other_bytes_and_another(cluster: world.World, operator: Witness) -> None:
    cluster.user_asks_for("forged")
    play(cluster, operator)
    cluster.user_wants_a_retry()
    play(cluster, operator)
    cluster.user_asks_for("v3")
    play(cluster, operator)


def a_version_that_was_there_before(cluster: world.World, operator: Witness) -> None:
    a_version_that_is_good(cluster, operator)
    cluster.user_asks_for("v1")
    play(cluster, operator)


STORIES = (
    a_source_that_is_not_there_and_another,
    a_source_of_other_bytes_and_another,
    a_version_that_was_there_before,
    what_has_failed_is_tried_again,
    a_pause_while_pods_start,
    a_version_that_is_good,
    one_after_another,
    a_version_that_is_wrong_and_another,
    a_version_without_room_and_another,
    a_change_of_mind_while_the_old_version_is_warm,
    a_version_that_is_not_watched,
    after_an_outage,
    a_version_that_crashes_in_its_bake,
    the_last_word,
    a_pause,
    sleep,
    by_turns,
    the_queue,
)


def drawn() -> set[tuple[str, str]]:
    diagram = PAGE.read_text().partition("stateDiagram-v2")[2].partition("```")[0]
    return set(re.findall(r"^ *(\w+) --> (\w+):", diagram, re.MULTILINE))


def told(story: Callable[[world.World, Witness], None]) -> list[str]:
    cluster = world.World()
    cluster.resolvers_take_time = True
    operator = Witness(cluster)
    play(cluster, operator)
    story(cluster, operator)
    return operator.steps


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_step_that_follows_another_is_drawn(story: Callable[[world.World, Witness], None]) -> None:
    steps = told(story)
    missing = set(itertools.pairwise(steps)) - drawn()
    assert missing == set(), f"{steps}"


def test_every_line_that_is_drawn_is_played_in_some_story() -> None:
    played = {pair for story in STORIES for pair in itertools.pairwise(told(story))}
    assert {line for line in drawn() if "*" not in line} - played == set()
