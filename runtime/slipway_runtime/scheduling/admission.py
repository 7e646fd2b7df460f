"""Who is let in: a queue is bounded in predicted seconds, and in rows only for the memory's sake.

So a fast model may have thousands of rows waiting and a slow one a few, and who is refused is told
when to come back. What is certain to be late is refused at once, since work for somebody who has
gone is taken from everybody else. Holds one number of its own: how true the predictions are.
"""

import math
from dataclasses import dataclass

from slipway_runtime.scheduling.calls import DeadlineExceededError, QueueFullError


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """The bounds of one queue: predicted seconds of what waits, and its rows."""

    max_seconds: float
    max_rows: int


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a request would find: all that waits, and the predicted seconds until it is answered."""

    waiting_rows: int
    waiting_seconds: float
    answer_seconds: float


NOTHING_AHEAD = Prospect(waiting_rows=0, waiting_seconds=0.0, answer_seconds=0.0)


class Admission:
    """Decides on requests, and learns from what became of them.

    `pace` is the multiple of their predicted time within which nine of ten requests are through.
    The mean would not do: rows run beside others of their length, so some are through at once, and
    those for whom it takes longest are the ones who would be late.
    """

    _FASTEST, _SLOWEST = 0.5, 4.0
    _TELLING_SECONDS = 0.05  # a shorter wait is mostly made of what is not predicted
    _SHARE, _STEP = 0.9, 0.02

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        self.pace = 1.0

    def check(self, rows: int, prospect: Prospect, *, time_left: float | None) -> None:
        """Raises QueueFullError or DeadlineExceededError. An empty queue takes any request in time.

        `time_left`: seconds until its deadline.
        """
        if time_left is not None and time_left <= 0:
            raise DeadlineExceededError("the deadline had passed before the request was queued")
        if prospect.waiting_rows:
            self._check_room(rows, prospect)
        expected = prospect.answer_seconds * self.pace
        if time_left is not None and expected > time_left:
            raise DeadlineExceededError(
                f"{time_left:.3g} s are left, and its answer would take about {expected:.3g} s"
            )

    def learn(self, *, predicted: float, took: float, answered: bool) -> None:
        """So long a request took from its queueing to its answer, or until it was given up."""
        if predicted < self._TELLING_SECONDS:
            # It says nothing, but without this a bad hour would be held against a quiet queue for ever.
            self.pace += self._STEP * (1 - self.pace)
        elif took > predicted * self.pace:
            self.pace = min(self._SLOWEST, self.pace * (1 + self._STEP * self._SHARE))
        elif answered:  # who gave up early says nothing
            self.pace = max(self._FASTEST, self.pace * (1 - self._STEP * (1 - self._SHARE)))

    def _check_room(self, rows: int, prospect: Prospect) -> None:
        seconds = prospect.waiting_seconds * self.pace
        if seconds > self._limits.max_seconds or prospect.waiting_rows + rows > self._limits.max_rows:
            raise QueueFullError(
                f"{prospect.waiting_rows} rows are waiting already, about {seconds:.1f} s of work",
                retry_after=max(1, math.ceil(seconds)),
            )
