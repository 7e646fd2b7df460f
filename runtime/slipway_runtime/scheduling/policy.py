"""Which waiting rows run next, or how long to wait for more: the whole decision, and nothing but it.

Pure: a snapshot and the time in, a decision out. Padding a short row to a long one's length can
cost more than a run of its own, so rows are taken by length, and only where running them together
is predicted to be cheaper than running them apart. The row that is due first is in every batch, so
none starves.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from slipway_runtime.scheduling.costs import Costs

# How many of the first rows are looked at, in batches. More finds better company and costs time.
WINDOW_BATCHES = 8
# Together must be predicted to take less than this share of the time apart, or it is not worth the
# wait for each other. Close to 1, since rows that are wrongly kept apart cost more than rows that are
# wrongly put together: of the former each run pays for its beginning.
_WORTHWHILE = 0.98
_NO_TIME = 1e-12  # to divide by, when everything is free


class Waiting(Protocol):
    """What the policy needs to know of a row."""

    @property
    def length(self) -> int:
        """Tokens."""

    @property
    def kind(self) -> Hashable:
        """Rows run together only when theirs are equal."""

    @property
    def queued_at(self) -> float:
        """Monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a batch: rows, padded tokens, and the seconds that its first row may be held."""

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
IDLE = Idle()
_ALONE = Run((0,))


def decide(queue: Sequence[Waiting], *, arriving: int, now: float, limits: Limits, costs: Costs) -> Decision:
    """What to do with `queue`, whose first row is due first, while `arriving` requests are on their way.

    Waits only for rows that are certain to come, only as long as their company can save, and never
    beyond `max_wait` after the first row came. A single row beyond `max_tokens` still runs, alone.
    """
    if not queue:
        return IDLE
    if arriving > 0 and len(queue) < limits.max_rows:
        patience = queue[0].queued_at + min(limits.max_wait, arriving * costs.per_run)
        if now < patience:
            return WaitUntil(patience)
    if len(queue) == 1 or limits.max_rows == 1:
        return _ALONE
    return Run(_cheapest_company(queue[: limits.max_rows * WINDOW_BATCHES], limits, costs))


def _cheapest_company(window: Sequence[Waiting], limits: Limits, costs: Costs) -> tuple[int, ...]:
    """The neighbours by length, around the first row, with the best predicted gain."""
    kind = window[0].kind
    lengths = [row.length for row in window]
    mates = [position for position, row in enumerate(window) if row.kind == kind]
    mates.sort(key=lengths.__getitem__)  # stable: the first row is the first one of its length
    place = mates.index(0)
    begin = max(0, place - limits.max_rows + 1)
    near = mates[begin : place + limits.max_rows]  # beyond these no row can be in one batch with it
    first, last = _best_slice([lengths[position] for position in near], place - begin, limits, costs)
    return tuple(near[first : last + 1])


def _best_slice(lengths: list[int], place: int, limits: Limits, costs: Costs) -> tuple[int, int]:
    """First and last position in the sorted `lengths`, `place` between them.

    Plain Python, since a queue is short more often than not: 3 µs for two rows, 60 for a full window.
    """
    per_run = costs.per_run
    own = [length * (costs.per_token + costs.per_token_squared * length) for length in lengths]
    best, found = _WORTHWHILE, (place, place)
    apart = _NO_TIME  # what the rows from `place` to `last` take one by one
    for last in range(place, len(lengths)):
        apart += per_run + own[last]
        rows = last - place + 1
        room = min(limits.max_rows, limits.max_tokens // lengths[last], last + 1) - rows
        if room < 0:
            break
        # Each of the shorter rows adds at most as much to `apart` as the one at `place`.
        hoped = (per_run + (rows + room) * own[last]) / (apart + room * (per_run + own[place]))
        if min(hoped, (per_run + rows * own[last]) / apart) < best:
            share, first = _best_start(own, slice(place, last + 1), room=room, per_run=per_run)
            if share < best:
                best, found = share, (first, last)
    return found


def _best_start(own: list[float], rows: slice, *, room: int, per_run: float) -> tuple[float, int]:
    """The best share with up to `room` rows put before `rows`, and where that batch starts.

    They come longest first, so once one of them does not help, no further one does.
    """
    first, count, longest = rows.start, rows.stop - rows.start, own[rows.stop - 1]
    apart = _NO_TIME + count * per_run + sum(own[rows])
    share = (per_run + count * longest) / apart
    for before in range(first - 1, first - 1 - room, -1):
        count += 1
        apart += per_run + own[before]
        larger = (per_run + count * longest) / apart
        if larger > share:
            break
        share, first = larger, before
    return share, first
