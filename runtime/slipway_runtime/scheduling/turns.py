"""Whose turn it is: several queues of one process share its processors, one run at a time.

Two versions that ran at once would each take twice as long, and a busy one would leave nothing to
its neighbour. First come, first served, and each turn is one batch, so they alternate. All on one
event loop: no locks.
"""

from collections import deque
from collections.abc import Callable

Wake = Callable[[], None]


class Turns:
    """One a process; its queues take turns."""

    def __init__(self) -> None:
        self._holder: Wake | None = None
        self._waiting: deque[Wake] = deque()

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
