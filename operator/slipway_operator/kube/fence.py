"""Until when this process may write: as long as the Lease was renewed in time, by our own clock.

The clock runs on while the process is stopped or the machine sleeps, so one that wakes up late finds the
fence closed before its first write. Must not know how a Lease is renewed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from slipway_operator.kube import errors


def clock() -> float:
    """Seconds that pass also while the machine is suspended, where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Fence:
    """Closed until it is opened, and closed again by time alone."""

    def __init__(self, *, slack: float, now: Callable[[], float] = clock) -> None:
        """`slack`: seconds between the closing and the moment from which another may hold the Lease."""
        self._slack = slack
        self._now = now
        self._until = -math.inf

    def open_until(self, moment: float) -> None:
        self._until = moment

    def close(self) -> None:
        self._until = -math.inf

    @property
    def is_open(self) -> bool:
        return self._now() < self._until

    def pass_through(self) -> float:
        """Seconds for which a write that starts now may be under way. Raises `errors.Fenced`."""
        left = self._until - self._now()
        if left <= 0:
            raise errors.Fenced("the Lease is not held any more: nothing is written")
        return left + self._slack
