"""A total time for a whole download, whatever blocks inside it.

A library's own time-outs are per connection and per read: tries and slow trickles add up to more.
Knows nothing of what is waited for.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")


class DeadlineExceededError(Exception):
    """The time is up. What was begun may still run in its thread; its result is thrown away."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time.monotonic() after which nothing is waited for."""

    at: float

    def left(self) -> float:
        """Seconds, never less than 0."""
        return max(0.0, self.at - time.monotonic())

    def check(self) -> None:
        """Raises DeadlineExceededError when the time is up."""
        if not self.left():
            raise DeadlineExceededError

    def call(self, function: Callable[[], _T]) -> _T:
        """The result of a function that blocks. Raises what it raises, or DeadlineExceededError."""
        self.check()
        outcome: _Outcome[_T] = _Outcome()
        thread = threading.Thread(target=outcome.fill, args=(function,), name="fetch", daemon=True)
        thread.start()
        thread.join(self.left())
        if thread.is_alive():
            raise DeadlineExceededError
        return outcome.get()


class _Outcome(Generic[_T]):
    def __init__(self) -> None:
        self._values: list[_T] = []
        self._error: BaseException | None = None

    def fill(self, function: Callable[[], _T]) -> None:
        try:
            self._values.append(function())
        except BaseException as error:
            self._error = error

    def get(self) -> _T:
        if self._error is not None:
            raise self._error
        return self._values[0]
