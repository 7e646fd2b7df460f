"""Ratios of pairs: their median, and how sure it is. Pure.

The pairs are two servers in the same round, seconds apart: what the machine does meanwhile, it does
to both.
"""

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_RESAMPLES = 4000
_SEED = 11


@dataclass(frozen=True, slots=True)
class Interval:
    """A median and the 95 % interval around it, of `pairs` pairs."""

    median: float
    low: float
    high: float
    pairs: int

    def reaches(self, target: float, *, slack: float = 0.03) -> bool:
        """Whether the median is at `target` and its lower bound no more than `slack` below."""
        return self.median >= target and self.low >= target * (1 - slack)


def ratio(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Interval:
    """Ours over theirs, by round. Raises ValueError when they share no round."""
    rounds = sorted(ours.keys() & theirs.keys())
    return bootstrap([ours[round_] / theirs[round_] for round_ in rounds if theirs[round_] > 0])


def difference(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Interval:
    """Ours less theirs, by round. Raises ValueError when they share no round."""
    return bootstrap([ours[round_] - theirs[round_] for round_ in sorted(ours.keys() & theirs.keys())])


def bootstrap(values: Sequence[float]) -> Interval:
    """The median of `values`, with the interval in which it lies when they are drawn again and again."""
    if not values:
        raise ValueError("there is no round in which both were measured")
    chance = random.Random(_SEED)  # noqa: S311
    drawn = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    low, high = drawn[math.floor(0.025 * _RESAMPLES)], drawn[math.ceil(0.975 * _RESAMPLES) - 1]
    return Interval(statistics.median(values), low, high, len(values))
