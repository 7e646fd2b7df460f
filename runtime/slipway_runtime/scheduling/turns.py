"""Whose turn it is: several queues of one process share its processors, one run at a time.

Two versions that ran at once would each take twice as long, and a busy one would leave nothing to
its neighbour. First come, first served, and each turn is one batch, so they alternate. That also says
how long the others hold up a queue: before so many batches of its own, so many of each. All on one
event loop: no locks.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Wake = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Pending:
    """What a queue has to run: the seconds left of the batch under way (None without one), and what waits."""

    running: float | None
    batches: int
    seconds: float

    def within(self, turns: int) -> float:
        """The seconds of it that come before another queue has had `turns` turns."""
        if self.running is None:
            return self._first(turns)
        return self.running + self._first(turns - 1)  # the batch under way is one of its turns

    def _first(self, turns: int) -> float:
        return self.seconds * min(turns, self.batches) / self.batches if self.batches else 0.0


class Sharer(Protocol):
    """A queue, as the others have to know it."""

    def pending(self, now: float) -> Pending: ...


class Turns:
    """One a process; its queues take turns."""

    def __init__(self) -> None:
        self._holder: Wake | None = None
        self._waiting: deque[Wake] = deque()
        self._sharers: list[Sharer] = []

    @property
    def free(self) -> bool:
        """Whether nothing runs."""
        return self._holder is None

    def join(self, sharer: Sharer) -> None:
        self._sharers.append(sharer)

    def leave(self, sharer: Sharer) -> None:
        self._sharers.remove(sharer)

    def before(self, sharer: Sharer, turns: int, now: float) -> float:
        """Seconds that the others will take before `sharer` has had `turns` turns (monotonic `now`)."""
        if len(self._sharers) == 1:
            return 0.0
        return sum(other.pending(now).within(turns) for other in self._sharers if other is not sharer)

    def take(self, wake: Wake) -> bool:
        """Whether it is the caller's turn. If not, `wake` is called when it has come.

        `wake` is also who the caller is: the same one asks and gives back.
        """
        if self._holder is None or self._holder == wake:
            self._holder = wake
            return True
        if wake not in self._waiting:
            self._waiting.append(wake)
        return False

    def give(self, wake: Wake) -> None:
        """Give the turn back, or stop waiting for it. It is then the next one's, who is woken."""
        if wake in self._waiting:
            self._waiting.remove(wake)
        if self._holder != wake:
            return
        self._holder = self._waiting.popleft() if self._waiting else None
        if self._holder is not None:
            self._holder()
