"""What a value has been lately: for checks that allow somebody to have acted on a reading a moment old."""

from collections import deque
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values of each key, with the time from which each held."""

    def __init__(self, age: timedelta) -> None:
        self._age = age
        self._values: dict[K, deque[tuple[datetime, V]]] = {}

    def note(self, key: K, value: V, at: datetime) -> None:
        """From now on the key has this value."""
        values = self._values.setdefault(key, deque())
        if not values or values[-1][1] != value:
            values.append((at, value))

    def of(self, key: K, at: datetime) -> list[V]:
        """Every value that held between `at` minus the age and now; none when the key is unknown."""
        values = self._values.get(key, deque())
        # The value that held when the window opened is the last one that began before it.
        while len(values) > 1 and values[1][0] <= at - self._age:
            values.popleft()
        return [value for _, value in values]
