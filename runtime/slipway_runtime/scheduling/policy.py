"""Which waiting rows run next, or how long to wait for more: the whole decision, and nothing but it.

Pure: a snapshot and the time in, a decision out. Padding a short row to a long one's length can
cost more than a run of its own, so rows are taken by length, and only where running them together
is predicted to be cheaper than running them apart. The oldest row is in every batch, so none
starves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slipway_runtime.scheduling.costs import Costs

# Together must be predicted to take less than this share of the time apart: below it the
# prediction's own error is larger than the gain.
_WORTHWHILE = 0.93
# How many of the oldest rows are looked at, in batches. More finds better company and costs time.
_WINDOW_BATCHES = 8


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A row in the queue: its number of tokens and when it came (monotonic seconds)."""

    tokens: int
    queued_at: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a batch: rows, padded tokens, and the seconds that its oldest row may be held."""

    max_rows: int
    max_tokens: int
    max_wait: float


@dataclass(frozen=True, slots=True)
class Run:
    """Run these rows now: positions in the queue, shortest row first."""

    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Too early: look again at this time, or as soon as the queue or the arrivals change."""

    time: float


@dataclass(frozen=True, slots=True)
class Idle:
    """There is nothing to run."""


Decision = Run | WaitUntil | Idle


def decide(
    queue: Sequence[WaitingRow], *, arriving: int, now: float, limits: Limits, costs: Costs
) -> Decision:
    """What to do with `queue` (oldest first) while `arriving` requests are known to be on their way.

    Waits only for rows that are certain to come: never for a lone request, never beyond `max_wait`
    after the oldest row came. A single row beyond `max_tokens` still runs, alone.
    """
    if not queue:
        return Idle()
    patience = queue[0].queued_at + limits.max_wait
    if arriving > 0 and len(queue) < limits.max_rows and now < patience:
        return WaitUntil(patience)
    return Run(_cheapest_company(queue, limits, costs))


def _cheapest_company(queue: Sequence[WaitingRow], limits: Limits, costs: Costs) -> tuple[int, ...]:
    """The run of neighbours by length, around the oldest row, with the best predicted gain."""
    window = queue[: limits.max_rows * _WINDOW_BATCHES]
    order = sorted(range(len(window)), key=lambda position: window[position].tokens)
    oldest = order.index(0)
    first, last = _best_slice([window[position].tokens for position in order], oldest, limits, costs)
    return tuple(order[first : last + 1])


def _best_slice(lengths: list[int], oldest: int, limits: Limits, costs: Costs) -> tuple[int, int]:
    """First and last position in the sorted `lengths`, `oldest` between them."""
    tokens = np.asarray(lengths, dtype=np.float64)
    apart = np.concatenate(([0.0], np.cumsum(costs.alone(tokens))))
    firsts = np.arange(max(0, oldest - limits.max_rows + 1), oldest + 1)[:, None]
    lasts = np.arange(oldest, min(len(lengths), oldest + limits.max_rows))[None, :]
    rows = lasts - firsts + 1
    longest = tokens[lasts]
    together = costs.per_run + rows * (costs.per_token * longest + costs.per_token_squared * longest**2)
    share = together / np.maximum(apart[lasts + 1] - apart[firsts], 1e-12)
    allowed = (rows <= limits.max_rows) & (rows * longest <= limits.max_tokens)
    share = np.where(allowed, share, np.inf)
    best = np.unravel_index(int(share.argmin()), share.shape)
    if share[best] >= _WORTHWHILE:
        return oldest, oldest
    return int(firsts[best[0], 0]), int(lasts[0, best[1]])
