"""What a run costs, as three measured numbers: T(n, L) = a + b·n·L + c·n·L².

On a CPU `a` is small and padding is dear, on a GPU it is the other way round; one rule with
measured numbers fits both. Pure.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slipway_runtime.engine.model import Timing

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds per run (a), per token (b) and per squared token (c)."""

    per_run: float
    per_token: float
    per_token_squared: float

    def of(self, rows: int, tokens: int) -> float:
        """Predicted seconds of one run of `rows` rows, padded to `tokens` each."""
        return self.per_run + rows * (self.per_token * tokens + self.per_token_squared * tokens**2)

    def alone(self, tokens: Floats) -> Floats:
        """Predicted seconds of each length, run by itself."""
        result: Floats = self.per_run + self.per_token * tokens + self.per_token_squared * tokens**2
        return result


# A small encoder on one core; what a fit starts from when there is nothing to fit.
TYPICAL = Costs(per_run=6e-4, per_token=1e-4, per_token_squared=0.0)


def fit(timings: Sequence[Timing]) -> Costs:
    """The non-negative numbers that predict `timings` best, relative to their size.

    With three unknowns the seven sets of terms are simply all tried.
    """
    if not timings:
        return TYPICAL
    terms = np.array([[1.0, t.rows * t.tokens, t.rows * t.tokens**2] for t in timings])
    seconds = np.array([max(t.seconds, 1e-9) for t in timings])
    weighted = terms / seconds[:, None]  # so that every timing aims at 1: relative errors
    best, least = np.zeros(3), np.inf
    for size in (1, 2, 3):
        for chosen in itertools.combinations(range(3), size):
            found = np.zeros(3)
            found[list(chosen)] = np.linalg.lstsq(weighted[:, chosen], np.ones(len(seconds)), rcond=None)[0]
            error = float(((weighted @ found - 1.0) ** 2).sum())
            if (found >= 0).all() and error < least:
                best, least = found, error
    return Costs(per_run=float(best[0]), per_token=float(best[1]), per_token_squared=float(best[2]))
