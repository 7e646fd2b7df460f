"""Without a terminal: one line an event, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

from tests.demo import plain
from tests.demo.snapshot import Facts, PodState, Snapshot, StepState, StepView
from tests.demo_tests import scenes


def test_a_step_that_begins_shows_its_command() -> None:
    lines = list(
        plain.lines(Snapshot(tuple(StepView(title) for title in scenes.TITLES)), Snapshot(scenes.steps(0)))
    )
    assert lines == [f"… {scenes.TITLES[0]}", f"  $ {scenes.COMMAND}"]


def test_a_step_that_ends_says_how_long_it_took() -> None:
    before, now = Snapshot(scenes.steps(0)), Snapshot(scenes.steps(1))
    assert f"✓ {scenes.TITLES[0]} 12.3 s" in list(plain.lines(before, now))


def test_a_step_that_fails_is_marked() -> None:
    failed = replace(scenes.steps(0)[0], state=StepState.FAILED, seconds=180.0)
    now = Snapshot((failed, *scenes.steps(0)[1:]))
    assert list(plain.lines(Snapshot(scenes.steps(0)), now)) == [f"✗ {scenes.TITLES[0]} 180.0 s"]


def test_nothing_that_happened_between_two_looks_is_lost() -> None:
    lines = list(plain.lines(Snapshot(scenes.steps(0)), Snapshot(scenes.steps(3))))
    for title in scenes.TITLES[1:3]:
        assert f"… {title}" in lines
        assert f"✓ {title} 12.3 s" in lines


def test_pods_come_change_and_go() -> None:
    def at(*pods: PodState) -> Snapshot:
        return Snapshot((), Facts(pods=tuple(scenes.pod("1", state) for state in pods)))

    assert list(plain.lines(at(), at(PodState.LOADING))) == [
        f"  pod {scenes.pod('1').name} (version 1) is loading"
    ]
    assert list(plain.lines(at(PodState.READY), at(PodState.READY))) == []
    assert list(plain.lines(at(PodState.DRAINING), at())) == [f"  pod {scenes.pod('1').name} is gone"]


def test_the_counts_come_every_five_seconds() -> None:
    scene = scenes.rollout(failed=1)
    assert list(plain.lines(replace(scene, seconds=40.0), replace(scene, seconds=44.9))) == []
    assert list(plain.lines(replace(scene, seconds=44.9), replace(scene, seconds=45.1))) == [
        "  6,301 requests, 1 failed, 300 a second; version 1 92%, version 2 8%"
    ]


def test_a_problem_is_said_once() -> None:
    trouble = Snapshot((), Facts(problem="The API server is away."))
    assert list(plain.lines(Snapshot(()), trouble)) == ["  ! The API server is away."]
    assert list(plain.lines(trouble, trouble)) == []
