"""What a run costs, as three measured numbers: T(n, L) = a + b·n·L + c·n·L².

On a CPU `a` is small and padding is dear, on a GPU it is the other way round; one rule with
measured numbers fits both. Pure.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from slipway_runtime.engine.model import Timing

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Load:
    """Rows that wait, summed up so that their cost can be told under any costs."""

    rows: int = 0
    tokens: int = 0
    squares: int = 0

    def add(self, length: int) -> None:
        self.rows += 1
        self.tokens += length
        self.squares += length * length

    def remove(self, length: int) -> None:
        self.rows -= 1
        self.tokens -= length
        self.squares -= length * length

    def include(self, other: "Load") -> None:
        self.rows += other.rows
        self.tokens += other.tokens
        self.squares += other.squares


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds per run (a), per token (b) and per squared token (c)."""

    per_run: float
    per_token: float
    per_token_squared: float

    def of(self, rows: int, tokens: int) -> float:
        """Predicted seconds of one run of `rows` rows, padded to `tokens` each."""
        return self.per_run + rows * (self.per_token * tokens + self.per_token_squared * tokens**2)

    def times(self, factor: float) -> "Costs":
        """On a machine that is so many times slower."""
        return Costs(
            per_run=self.per_run * factor,
            per_token=self.per_token * factor,
            per_token_squared=self.per_token_squared * factor,
        )

    def each(self, rows: Floats, tokens: Floats) -> Floats:
        """As `of`, for many runs."""
        result: Floats = self.per_run + rows * (self.per_token * tokens + self.per_token_squared * tokens**2)
        return result

    def least(self, load: Load, *, max_rows: int) -> float:
        """Seconds that `load` takes at the very least: in full batches, and without padding."""
        runs = -(-load.rows // max_rows)
        return runs * self.per_run + load.tokens * self.per_token + load.squares * self.per_token_squared


# What a run costs besides itself: deciding on it, handing it over, handing its answers out.
DISPATCH_SECONDS = 5e-5

_NO_TIME = 1e-9  # to divide by
# A small encoder on one core; what a fit starts from when there is nothing to fit.
TYPICAL = Costs(per_run=6e-4, per_token=1e-4, per_token_squared=0.0)


def fit(timings: Sequence[Timing]) -> Costs:
    """The non-negative numbers that predict `timings` best, relative to their size.

    With three unknowns the seven sets of terms are simply all tried.
    """
    return _fit(_table(timings)) if timings else TYPICAL


def _table(timings: Sequence[Timing]) -> Floats:
    """Rows, tokens and seconds in columns."""
    return np.array([(t.rows, t.tokens, t.seconds) for t in timings], dtype=np.float64).reshape(-1, 3)


def _fit(table: Floats) -> Costs:
    rows, tokens, seconds = table[:, 0], table[:, 1], np.maximum(table[:, 2], _NO_TIME)
    terms = np.stack([np.ones_like(rows), rows * tokens, rows * tokens**2], axis=1)
    relative = terms / seconds[:, None]  # so that every timing aims at 1: relative errors
    scale = np.sqrt((relative**2).sum(axis=0))  # the terms differ by orders of magnitude
    weighted: Floats = relative / scale
    products: Floats = weighted.T @ weighted
    aims: Floats = weighted.sum(axis=0)
    best: Floats = np.zeros(3)
    least = np.inf
    for size in (1, 2, 3):
        for chosen in itertools.combinations(range(3), size):
            found: Floats = np.zeros(3)
            part = list(chosen)
            found[part] = _solve(products[np.ix_(part, part)], aims[part])
            error = float(found @ products @ found - 2 * (found @ aims))
            if (found >= 0).all() and error < least - 1e-9:  # a further term must be worth it
                best, least = found, error
    per_run, per_token, per_token_squared = map(float, best / scale)
    return Costs(per_run=per_run, per_token=per_token, per_token_squared=per_token_squared)


def _solve(products: Floats, aims: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(products, aims, rcond=1e-10)[0], dtype=np.float64)


class Estimate:
    """The costs of one model, kept true while it serves.

    A fit over what has run lately; the timings of the warm-up stay part of it, since traffic of one
    length alone would say nothing about any other. When the machine as a whole has become slower or
    faster they are taken to have changed as much. How runs of different sizes compare is what they
    cost by the model's clock; that they also take longer, on a machine that is shared, is one factor.
    """

    REFIT_RUNS = 128
    _REMEMBERED = 512
    # One run this much slower or faster than predicted was a busy machine, or a clock; if all of
    # them are, a few refits follow.
    _BELIEVABLE = 3.0
    _MOST_SHARED = 20.0  # a run that took longer than so many times its cost stood still

    def __init__(self, warm_up: Sequence[Timing]) -> None:
        self._own = fit(warm_up)  # by the model's clock
        self.costs = _dispatched(self._own)
        self._warm_up = _table(warm_up)
        self._recent: Floats = np.empty((self._REMEMBERED, 4))  # a ring of rows, tokens, cost, seconds
        self._observed = 0

    def observe(self, *, rows: int, tokens: int, cost: float, seconds: float) -> None:
        """One run of `rows` rows padded to `tokens`, which cost so much and took so long.

        Every so many of them, `costs` is fitted anew.
        """
        predicted = DISPATCH_SECONDS + self._own.of(rows, tokens)
        believed = min(max(cost, predicted / self._BELIEVABLE), predicted * self._BELIEVABLE)
        taken = believed * min(max(seconds / max(cost, _NO_TIME), 1.0), self._MOST_SHARED)
        self._recent[self._observed % self._REMEMBERED] = rows, tokens, believed, taken
        self._observed += 1
        if self._observed % self.REFIT_RUNS == 0:
            self._refit(self._recent[: self._observed])

    def _refit(self, recent: Floats) -> None:
        seen = recent[:, :3]
        self._own = _fit(np.concatenate([seen, self._as_if_now(seen)]))
        shared = float(recent[:, 3].sum() / recent[:, 2].sum())
        self.costs = _dispatched(self._own.times(shared))

    def _as_if_now(self, recent: Floats) -> Floats:
        """The warm-up, as slow as the machine is by now."""
        if not len(self._warm_up):
            return self._warm_up
        first = _fit(self._warm_up)
        foreseen = first.each(recent[:, 0], recent[:, 1])
        told = foreseen > 0  # a fit without a constant says nothing of rows without tokens
        drift = np.median(recent[told, 2] / foreseen[told]) if told.any() else 1.0
        changed: Floats = self._warm_up * [1.0, 1.0, drift]
        return changed


def _dispatched(costs: Costs) -> Costs:
    return replace(costs, per_run=costs.per_run + DISPATCH_SECONDS)
