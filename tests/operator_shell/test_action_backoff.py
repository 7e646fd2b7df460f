"""The same action at once again waits, longer each time; one that is new waits for nothing."""

from __future__ import annotations

import datetime
import itertools

import hypothesis
import pytest
from hypothesis import strategies

from slipway_operator.controller import action_backoff, backoff, work_queue
from slipway_operator.kube import errors
from slipway_operator.planning import actions

KEY = work_queue.Key("default", "sentiment")
NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
BUDGET, APPLY = actions.CreateBudget("a"), actions.ApplyAccess()
REFUSED = errors.Refused("POST /budgets: no")


def after(seconds: float) -> datetime.datetime:
    return NOW + datetime.timedelta(seconds=seconds)


def move(to: str, seconds: float) -> actions.SwitchTraffic:
    return actions.SwitchTraffic("a", to, after(seconds), resource_version=str(seconds))


def made_in(action: actions.Action, seconds: float) -> list[float]:
    """When it is made, by somebody who asks each tenth of a second."""
    recent, times = action_backoff.ActionBackoff(), []
    for tick in range(int(seconds * 10)):
        now = after(tick / 10)
        if recent.wait(KEY, action, now=now) == 0:
            recent.made(KEY, action, now=now)
            times.append(tick / 10)
    return times


def test_the_first_time_is_at_once() -> None:
    recent = action_backoff.ActionBackoff()
    recent.made(KEY, BUDGET, now=NOW)
    assert recent.wait(KEY, actions.CreateBudget("b"), now=NOW) == 0
    assert recent.wait(KEY, actions.DeleteBudget("a"), now=NOW) == 0
    assert recent.wait(work_queue.Key("default", "another"), BUDGET, now=NOW) == 0
    assert recent.wait(KEY, BUDGET, now=NOW) == backoff.FIRST_SECONDS


def test_each_time_it_waits_twice_as_long() -> None:
    assert made_in(BUDGET, 17) == pytest.approx([0, 0.5, 1.5, 3.5, 7.5, 15.5])


def test_two_that_take_turns_wait_as_one_that_repeats() -> None:
    """A budget that is deleted and created again without end."""
    recent, count = action_backoff.ActionBackoff(), 0
    for tick in range(600):
        action = BUDGET if count % 2 else actions.DeleteBudget("a", edited=True)
        if recent.wait(KEY, action, now=after(tick / 10)) == 0:
            recent.made(KEY, action, now=after(tick / 10))
            count += 1
    assert count <= 16, "in a minute"


def test_the_traffic_waits_for_seconds_at_most() -> None:
    times = made_in(move("b", 0), 300)
    assert max(b - a for a, b in itertools.pairwise(times)) == pytest.approx(
        action_backoff.LONGEST_OF_ESSENTIAL_SECONDS
    )


def test_an_action_is_known_again_whatever_the_moment_it_was_decided_at() -> None:
    recent = action_backoff.ActionBackoff()
    recent.made(KEY, move("b", 0), now=NOW)
    assert recent.wait(KEY, move("b", 0.1), now=after(0.1)) > 0
    assert recent.wait(KEY, move("c", 0.1), now=after(0.1)) == 0


def test_after_a_quiet_time_it_begins_anew() -> None:
    recent = action_backoff.ActionBackoff()
    for seconds in (0, 1, 3):
        recent.made(KEY, APPLY, now=after(seconds))
    assert recent.wait(KEY, APPLY, now=after(3 + action_backoff.QUIET_SECONDS)) == 0
    recent.made(KEY, APPLY, now=after(70))
    assert recent.wait(KEY, APPLY, now=after(70)) == backoff.FIRST_SECONDS


def test_a_refusal_is_told_while_the_action_is_wanted() -> None:
    recent = action_backoff.ActionBackoff()
    recent.failed(KEY, BUDGET, REFUSED, now=NOW)
    said = ("cannot create the PodDisruptionBudget of revision a: POST /budgets: no",)
    assert recent.refusals(KEY, [APPLY, BUDGET]) == said
    assert recent.refusals(KEY, [APPLY]) == ()
    recent.made(KEY, BUDGET, now=after(1))
    assert recent.refusals(KEY, [BUDGET]) == ()


@pytest.mark.parametrize("error", [errors.Conflict("faster"), errors.Transient("503")])
def test_what_may_be_over_at_once_is_told_when_it_stays(error: errors.ApiError) -> None:
    recent = action_backoff.ActionBackoff()
    told = []
    for seconds in (0, 1, 3):
        recent.failed(KEY, BUDGET, error, now=after(seconds))
        told.append(len(recent.refusals(KEY, [BUDGET])))
    assert told == [0, 0, 1]


@hypothesis.given(
    strategies.lists(strategies.tuples(strategies.floats(0, 400), strategies.booleans()), max_size=60)
)
def test_nothing_waits_for_longer_than_is_promised(story: list[tuple[float, bool]]) -> None:
    recent, now = action_backoff.ActionBackoff(), NOW
    for pause, fails in story:
        now += datetime.timedelta(seconds=pause)
        if recent.wait(KEY, APPLY, now=now) == 0:
            if fails:
                recent.failed(KEY, APPLY, REFUSED, now=now)
            else:
                recent.made(KEY, APPLY, now=now)
        assert 0 <= recent.wait(KEY, APPLY, now=now) <= backoff.LONGEST_SECONDS


def test_a_model_that_is_gone_leaves_nothing() -> None:
    recent = action_backoff.ActionBackoff()
    recent.failed(KEY, BUDGET, REFUSED, now=NOW)
    recent.forget(KEY)
    assert recent.wait(KEY, BUDGET, now=NOW) == 0
    assert recent.refusals(KEY, [BUDGET]) == ()
