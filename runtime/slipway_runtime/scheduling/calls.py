"""What a caller may ask of a queue, and how that may end without an answer.

Values only: knows no queue and no protocol.
"""

import enum
from dataclasses import dataclass

_SHOWN_CHARACTERS = 300


class Lane(enum.StrEnum):
    """Who goes first when both wait: somebody at a screen, or a job that may take its time."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Call:
    """The terms of one request: until when its answer is of use (time.monotonic()), and its lane."""

    deadline: float | None = None
    lane: Lane = Lane.INTERACTIVE


PATIENT = Call()
"""No deadline, and as urgent as anybody else."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the time of one request went, in seconds. Together: from its rows' arrival to its answer."""

    queue_seconds: float
    run_seconds: float


class QueueFullError(Exception):
    """More waits than can be done in time. `retry_after` is in seconds: when to come back."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineExceededError(Exception):
    """The answer would come too late, or did."""


class RowFailedError(Exception):
    """The model failed on this one row, run by itself. `index` is its place in the request."""

    def __init__(self, index: int, cause: Exception) -> None:
        super().__init__(f"row {index}: {str(cause)[:_SHOWN_CHARACTERS]}")
        self.index = index
        self.__cause__ = cause


class ClosedError(Exception):
    """This version has been taken out of service while the request waited."""
