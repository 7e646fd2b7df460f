"""Who is next: two lanes of waiting rows, each in rounds, so that nobody waits for all of another's.

A request of n rows gets √n of them into each round, and a new request joins the next round. So a
single text that comes after a request of a hundred waits for ten of them; and since a round that
has begun takes nobody in, whatever waits is reached. No clock, no tasks, no locks.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from slipway_runtime.scheduling.calls import Lane
from slipway_runtime.scheduling.costs import Load

# While rows wait in both lanes, one batch in so many is the bulk lane's.
BULK_TURN = 8


class Queued(Protocol):
    """What the lanes need of a row: its tokens, and a number that is theirs to write."""

    round: int

    @property
    def length(self) -> int:
        """Tokens."""


R = TypeVar("R", bound=Queued)


class _Round(Generic[R]):
    __slots__ = ("load", "rows")

    def __init__(self) -> None:
        self.rows: list[R] = []
        self.load = Load()


class Rounds(Generic[R]):
    """The rows of one lane in the order in which they are due."""

    def __init__(self) -> None:
        self._rounds: deque[_Round[R]] = deque()
        self._first = 0  # the number of the round that is under way
        self.load = Load()

    def add(self, rows: Sequence[R]) -> None:
        """Queue the rows of one request."""
        share = _share(len(rows))
        place = 1 if self._rounds else 0
        for begin in range(0, len(rows), share):
            while place >= len(self._rounds):
                self._rounds.append(_Round())
            entered = self._rounds[place]
            for row in rows[begin : begin + share]:
                row.round = self._first + place
                entered.rows.append(row)
                entered.load.add(row.length)
                self.load.add(row.length)
            place += 1

    def first(self, most: int) -> list[R]:
        """The next `most` rows, the one that is due first at the front."""
        found: list[R] = []
        for one in self._rounds:
            found += one.rows
            if len(found) >= most:
                return found[:most]
        return found

    def remove(self, rows: Iterable[R]) -> None:
        """Take rows out. Those that are not in are ignored."""
        gone = set(rows)
        for number in {row.round for row in gone}:
            place = number - self._first
            if 0 <= place < len(self._rounds):
                self._remove(self._rounds[place], gone)
        while self._rounds and not self._rounds[0].rows:
            self._rounds.popleft()
            self._first += 1

    def ahead_of(self, rows: int) -> Load:
        """What is due before the last row of a request of `rows` rows, if it came now."""
        total = Load()
        last = math.ceil(rows / _share(rows))
        for place, one in enumerate(self._rounds):
            if place > last:
                break
            total.include(one.load)
        return total

    def _remove(self, one: _Round[R], gone: set[R]) -> None:
        kept = [row for row in one.rows if row not in gone]
        if len(kept) == len(one.rows):
            return
        for row in one.rows:
            if row in gone:
                one.load.remove(row.length)
                self.load.remove(row.length)
        one.rows = kept


def _share(rows: int) -> int:
    """Rows of one request in a round: all of a small one's, a tenth of a hundred."""
    return max(1, math.ceil(math.sqrt(rows)))


class Lanes(Generic[R]):
    """Interactive rows before bulk ones, but not for ever."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, Rounds[R]] = {lane: Rounds() for lane in Lane}
        self._stood_back = 0  # batches for which the bulk lane has waited

    @property
    def rows(self) -> int:
        return sum(lane.load.rows for lane in self._lanes.values())

    def waiting(self, lane: Lane) -> Load:
        """What counts against a request in `lane`: what is bulk is nothing to an interactive one."""
        total = Load()
        total.include(self._lanes[lane].load)
        if lane is Lane.BULK:
            total.include(self._lanes[Lane.INTERACTIVE].load)
        return total

    def ahead_of(self, rows: int, lane: Lane) -> Load:
        """What is due before the last row of a request of `rows` rows, if it came now."""
        total = self._lanes[lane].ahead_of(rows)
        if lane is Lane.BULK:
            total.include(self._lanes[Lane.INTERACTIVE].load)
        return total

    def add(self, rows: Sequence[R], lane: Lane) -> None:
        self._lanes[lane].add(rows)

    def first(self, most: int) -> list[R]:
        """The next rows, all of the lane whose turn it is; empty when nothing waits."""
        return self._lanes[self._due()].first(most)

    def take(self, rows: Sequence[R]) -> None:
        """These rows of `first` are run now."""
        lane = self._due()
        waiting = self._lanes[Lane.BULK].load.rows > 0
        self._stood_back = self._stood_back + 1 if waiting and lane is Lane.INTERACTIVE else 0
        self._lanes[lane].remove(rows)

    def remove(self, rows: Sequence[R], lane: Lane) -> None:
        """These rows need not be run any more. Those that have been taken are ignored."""
        self._lanes[lane].remove(rows)

    def clear(self) -> list[R]:
        """Take all rows out."""
        rows = [row for lane in self._lanes.values() for row in lane.first(lane.load.rows)]
        self._lanes = {lane: Rounds() for lane in Lane}
        return rows

    def _due(self) -> Lane:
        bulk = self._lanes[Lane.BULK].load.rows > 0
        interactive = self._lanes[Lane.INTERACTIVE].load.rows > 0
        if bulk and (not interactive or self._stood_back >= BULK_TURN - 1):
            return Lane.BULK
        return Lane.INTERACTIVE
