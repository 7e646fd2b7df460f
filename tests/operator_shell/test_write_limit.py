"""The bucket: a burst at once, then a steady rate, whatever the order of asking."""

from __future__ import annotations

import dataclasses

import hypothesis
import pytest
from hypothesis import strategies

from slipway_operator.kube import bucket


@dataclasses.dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_waits_for_nothing_and_what_follows_waits_its_turn() -> None:
    filled = bucket.Bucket(rate=10, burst=3, clock=Clock())
    waits = [filled.take() for _ in range(5)]
    assert waits == pytest.approx([0, 0, 0, 0.1, 0.2])


def test_it_fills_again_and_not_beyond_its_size() -> None:
    clock = Clock()
    filled = bucket.Bucket(rate=10, burst=2, clock=clock)
    for _ in range(2):
        filled.take()
    clock.now += 3600
    assert [filled.take() for _ in range(3)] == pytest.approx([0, 0, 0.1])


def test_a_clock_that_stands_still_or_goes_back_gives_nothing_away() -> None:
    clock = Clock(now=100.0)
    filled = bucket.Bucket(rate=1, burst=1, clock=clock)
    filled.take()
    clock.now = 50.0
    assert filled.take() == pytest.approx(1.0)


@hypothesis.given(
    rate=strategies.floats(0.5, 100),
    burst=strategies.integers(1, 50),
    pauses=strategies.lists(strategies.floats(0, 2), min_size=1, max_size=200),
)
def test_no_stretch_of_time_sees_more_writes_than_promised(
    rate: float, burst: int, pauses: list[float]
) -> None:
    clock = Clock()
    filled = bucket.Bucket(rate=rate, burst=burst, clock=clock)
    made = []
    for pause in pauses:
        clock.now += pause
        made.append(clock.now + filled.take())
    assert made == sorted(made)
    for first in range(len(made)):
        last = len(made) - 1
        promised = burst + rate * (made[last] - made[first])
        assert last - first + 1 <= promised + 1 + 1e-6
