"""The live view, as text, in terminals of two sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.demo.snapshot import Facts, PodState, Snapshot
from tests.demo_tests import scenes

SIZES = [pytest.param(80, 24, id="the smallest terminal"), pytest.param(120, 40, id="a larger terminal")]


@pytest.mark.parametrize(("width", "height"), SIZES)
class TestInTheMiddleOfARollout:
    def test_it_fits(self, width: int, height: int) -> None:
        lines = scenes.seen(scenes.rollout(), width=width, height=height)
        assert len(lines) <= height
        assert max(map(len, lines)) <= width

    def test_each_step_is_there_and_those_behind_have_their_time(self, width: int, height: int) -> None:
        lines = scenes.seen(scenes.rollout(), width=width, height=height)
        for title in scenes.TITLES:
            assert any(title in line for line in lines), title
        assert any("✓ version 2 is applied" in line and "12.3 s" in line for line in lines)
        assert any("▸ version 1 drains" in line and "4.2 s" in line for line in lines)

    def test_pods_of_both_versions_have_state_and_node(self, width: int, height: int) -> None:
        lines = scenes.seen(scenes.rollout(), width=width, height=height)
        words = [line.split() for line in lines if "sentiment-" in line and "kubectl" not in line]
        assert [line[2:] for line in words] == [
            ["1", "warm", "node-1"],
            ["1", "warm", "node-2"],
            ["2", "serving", "node-1"],
            ["2", "serving", "node-2"],
        ]

    def test_no_failure_is_said_as_loud_as_one(self, width: int, height: int) -> None:
        text = "\n".join(scenes.seen(scenes.rollout(), width=width, height=height))
        assert "0 FAILED" in text
        text = "\n".join(scenes.seen(scenes.rollout(failed=3), width=width, height=height))
        assert "3 FAILED" in text
        assert "3 x reset" in text

    def test_counts_rate_and_shares(self, width: int, height: int) -> None:
        text = "\n".join(scenes.seen(scenes.rollout(), width=width, height=height))
        assert "6,300" in text
        assert " 300" in text
        assert "from version 1" in text
        assert "92%" in text, "of the last three moments"

    def test_the_operator_speaks_and_the_command_is_shown(self, width: int, height: int) -> None:
        lines = scenes.seen(scenes.rollout(), width=width, height=height)
        assert "KeepingWarm: version 1 keeps its pods" in "\n".join(lines)
        assert lines[-1].strip() == f"$ {scenes.COMMAND}"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_before_anything_is_there_it_shows_as_much(width: int, height: int) -> None:
    lines = scenes.seen(Snapshot(scenes.steps(0)), width=width, height=height)
    assert len(lines) <= height
    assert "no requests yet" in "\n".join(lines)
    assert "no model" in "\n".join(lines)


def test_more_pods_than_lines_are_counted_and_the_newest_are_named() -> None:
    pods = [scenes.pod("1", PodState.DRAINING, number=number) for number in range(1, 9)]
    told = scenes.rollout()
    lines = scenes.seen(replace(told, facts=replace(told.facts, pods=tuple(pods))))
    assert len(lines) <= 24
    assert any("and 5 older" in line for line in lines)
    assert any("pod8" in line for line in lines)


def test_what_could_not_be_looked_at_is_said_in_one_line() -> None:
    problem = "The API server does not answer GET /version:\nconnection refused " + "…" * 80
    lines = scenes.seen(Snapshot(scenes.steps(1), Facts(problem=problem)))
    assert len(lines) <= 24
    assert any(
        line.strip().startswith("! The API server does not answer GET /version: conn") for line in lines
    )
