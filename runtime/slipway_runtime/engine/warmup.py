"""Which shapes are run before a model serves, and how long each took.

The shapes are spread over what will come, so that what is done lazily is done and the cost model
is fitted to more than one corner. Pure but for the runs it is given.
"""

import time
from collections.abc import Callable, Iterable

from slipway_runtime.engine.model import Timing

Shape = tuple[int, int]

# No text is a single token, and matrices of one row are multiplied in another way: such runs would
# make all of them look cheaper to begin than they are.
_LENGTHS = (4, 16, 64, 128, 256, 512)
# A run that takes longer is ended: it may never be over.
LONGEST_RUN_SECONDS = 30.0
# More tokens than this in one run tell nothing new and take long.
_MOST_TOKENS = 4096
# A run is repeated until it was measured this often or this long; the fastest counts, because
# whatever else goes on in the machine only ever adds.
_REPEATS = 5
_ENOUGH_SECONDS = 0.1


def shapes(*, max_rows: int, max_length: int) -> list[Shape]:
    """(rows, length), the most needed first: single rows of every length, then fuller runs of short ones."""
    lengths = sorted({*(length for length in _LENGTHS if length < max_length), max_length})
    counts = sorted({count for count in (4, 16, max_rows) if 1 < count <= max_rows})
    fuller = [(rows, length) for rows in counts for length in lengths if rows * length <= _MOST_TOKENS]
    return [*((1, length) for length in lengths), *sorted(fuller, key=lambda shape: shape[0] * shape[1])]


def measure(run: Callable[[int, int], float], wanted: Iterable[Shape], *, budget_s: float) -> list[Timing]:
    """Run each shape, and once more what was cheap. The first run of all is for nothing but to be over.

    A shape that is expected to go beyond `budget_s` is left out: a slow model must not be kept
    from serving by its warm-up. The first shape is always run.
    """
    began = time.monotonic()
    timings: list[Timing] = []
    for rows, length in wanted:
        left = budget_s - (time.monotonic() - began)
        if timings and _expected(timings, rows, length) > left:
            continue
        if not timings:
            run(rows, length)
        timings.append(Timing(rows, length, _fastest(run, rows, length)))
    return timings


def _expected(timings: list[Timing], rows: int, length: int) -> float:
    """By the largest run so far, in proportion: too high when there is an overhead, too low for squares."""
    largest = max(timings, key=lambda timing: timing.rows * timing.tokens)
    return largest.seconds * rows * length / (largest.rows * largest.tokens)


def _fastest(run: Callable[[int, int], float], rows: int, length: int) -> float:
    taken: list[float] = []
    while not taken or (len(taken) < _REPEATS and sum(taken) < _ENOUGH_SECONDS):
        taken.append(run(rows, length))
    return min(taken)
