"""E. Somebody changes their mind in mid-rollout: what is asked for last comes, and no request fails."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.stack import Installed
from tests.matrix.load import MODEST
from tests.scenario import manifest
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

Moment = Callable[[Run, str], None]
SOME = 100
TOO_MUCH = {"requests": {"cpu": "1k"}}  # for any node
PACE = {"bakeSeconds": 8, "keepWarmSeconds": 8}


def warming_up(run: Run, revision: str) -> None:
    run.until(lambda: bool(run.seen.pods(revision)), what=f"a pod of revision {revision}")


def at_the_switch(run: Run, revision: str) -> None:
    run.wait_selected(revision)


def in_the_bake(run: Run, revision: str) -> None:
    """Or later: what comes back is not watched anew."""
    run.wait_selected(revision)
    run.until(lambda: run.seen.step in {"Baking", *AFTER_THE_BAKE}, what="the bake")


def warm(run: Run, revision: str) -> None:
    run.wait_selected(revision)
    run.until(lambda: run.seen.step in AFTER_THE_BAKE, what="the end of the bake")


AFTER_THE_BAKE = {"KeepingWarm", "Draining", "Complete"}
MOMENTS: Mapping[str, Moment] = {
    "while it warms up": warming_up,
    "at the switch": at_the_switch,
    "in its bake": in_the_bake,
    "while the old one is warm": warm,
}
SEQUENCES: Sequence[str] = ("1 2 1", "1 2 3", "1 2 1 2")
SOURCES = {"1": "1", "2": "2", "3": "2"}  # version 3 serves the bytes of 2
IN_MAKE_TEST = ("1 2 1 2", "at the switch")


def cases() -> list[Any]:
    """Every sequence at every moment, E1 to E12."""
    found = []
    for number, (sequence, moment) in enumerate(((s, m) for s in SEQUENCES for m in MOMENTS), start=1):
        long = [] if (sequence, moment) == IN_MAKE_TEST else [pytest.mark.long]
        marks = [pytest.mark.case(f"E{number}"), *long]
        name = f"{sequence.replace(' ', ', ')}, each {moment}"
        found.append(pytest.param(sequence.split(), MOMENTS[moment], id=name, marks=marks))
    return found


@pytest.mark.parametrize(("sequence", "moment"), cases())
def test_the_last_word_counts(
    stack: Installed, namespace: str, tmp_path: Path, sequence: list[str], moment: Moment
) -> None:
    first, *between, last = sequence
    with observed(stack, namespace, tmp_path) as run:
        revisions = {first: apply(run, first)}
        run.wait_complete(first)
        run.send(MODEST)
        run.send_more(SOME)
        for version in between:
            revisions[version] = apply(run, version)
            moment(run, revisions[version])
        revisions[last] = apply(run, last)
        run.wait_complete(last)
        for version, revision in revisions.items():
            if version != last:
                run.wait_gone(revision)
        run.send_more(SOME)
    assert run.outcome.complaints == []
    assert run.seen.selected == revisions[last]


@pytest.mark.case("E13")
@pytest.mark.long
def test_version_and_replicas_change_at_once(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        run.apply("1", replicas=1)
        run.wait_complete("1")
        run.send(MODEST)
        run.send_more(SOME)
        second = run.apply("2", replicas=3)
        run.wait_selected(second)
        assert len(run.seen.pods(second)) == 3, "the requests moved to fewer pods than are asked for"
        run.wait_complete("2")
        first = run.apply("1", replicas=1)
        run.wait_complete("1")
        run.wait_gone(second)
        assert run.seen.replicas(first) == 1
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("E14")
@pytest.mark.long
def test_the_deadline_passes_while_the_rollout_is_paused(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    late = {"progressDeadlineSeconds": 45}
    with observed(stack, namespace, tmp_path) as run:
        run.apply("1", replicas=1)
        run.wait_complete("1")
        run.send(MODEST)
        run.apply("2", replicas=1, resources=TOO_MUCH, rollout=late)
        run.wait_stalled("Unschedulable")
        second = run.apply("2", replicas=1, resources=TOO_MUCH, rollout={**late, "paused": True})
        time.sleep(50)  # what is wrong with the pod goes on being told, so that it is not quiet
        assert run.seen.version(second).get("state", "") not in {"Blocked", "Rejected"}
        run.apply("2", replicas=1, resources=TOO_MUCH, rollout=late)
        run.until(lambda: is_blocked(run, second), what="its pods are let go")
        run.apply("1", replicas=1)
        run.wait_complete("1")
        run.wait_gone(second)
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("E15")
@pytest.mark.long
def test_old_pods_die_while_the_new_ones_come(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1")
        run.wait_complete("1")
        second = run.apply("2", rollout={"minReadySeconds": 4})
        run.until(lambda: bool(run.seen.pods(second)), what="pods of version 2")
        run.signal(first, "SEGV")
        run.wait_complete("2")
        run.send(MODEST)
        run.wait_gone(first)
        run.send_more(SOME)
    assert run.outcome.complaints == []


@pytest.mark.case("E16")
@pytest.mark.long
def test_a_bad_version_follows_a_bad_one_and_a_good_one_follows_both(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    wrong = {"source": {"uri": manifest.uri("2"), "sha256": "0" * 64}}
    also_wrong = {"source": {"uri": manifest.uri("2"), "sha256": "1" * 64}}
    with observed(stack, namespace, tmp_path) as run:
        run.apply("1", replicas=1, **wrong)
        run.until(lambda: run.seen.condition("Stalled") != {}, what="the first version is told to be wrong")
        run.apply("1b", replicas=1, **also_wrong)
        run.until(lambda: "1b" in str(run.seen.status.get("targetVersion")), what="the second is asked for")
        run.until(lambda: run.seen.condition("Stalled") != {}, what="it is told to be wrong too")
        run.apply("2", replicas=1, source={"uri": manifest.uri("2")})
        run.wait_complete("2")
        run.send(MODEST)
        run.send_more(SOME)
        assert run.seen.condition("Stalled") == {}
    assert run.outcome.complaints == []


def apply(run: Run, version: str) -> str:
    return run.apply(version, source={"uri": manifest.uri(SOURCES[version])}, rollout=PACE)


def is_blocked(run: Run, revision: str) -> bool:
    return bool(run.seen.version(revision).get("state") == "Blocked")
