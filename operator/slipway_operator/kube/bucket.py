"""How fast we may write: a bucket of tokens, refilled at a steady rate.

Pure: it tells the wait and leaves the waiting to others. Must not know what is written.
"""

from __future__ import annotations

from collections.abc import Callable


class Bucket:
    """`burst` writes at once, then `rate` a second. `clock` gives seconds that never go back."""

    def __init__(self, *, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._tokens = self._burst
        self._counted_at = clock()

    def take(self) -> float:
        """Seconds to wait before the write. Its place is taken already: who comes later waits longer."""
        now = self._clock()
        refilled = self._tokens + max(0.0, now - self._counted_at) * self._rate
        self._tokens = min(self._burst, refilled) - 1.0
        self._counted_at = now
        return max(0.0, -self._tokens / self._rate)
