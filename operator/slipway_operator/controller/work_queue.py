"""Keys that want to be looked at: each once, however often it is asked for, and by one worker at a time.

Must not know what a key stands for. Time is the event loop's own clock.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple


class Key(NamedTuple):
    """A model."""

    namespace: str
    name: str


class Closed(Exception):  # noqa: N818 - it reads as what it says
    """No more keys are handed out."""


class WorkQueue:
    """Dirty keys in the order of asking; one asked for while a worker has it comes again after that."""

    def __init__(self) -> None:
        self._dirty: dict[Key, float] = {}
        self._running: dict[Key, float] = {}
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()
        self._closed = False

    def add(self, key: Key) -> None:
        """As soon as a worker is free."""
        self._dirty.setdefault(key, _now())
        self._wake.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Unless something asks for it earlier. A later wish takes the place of an earlier one."""
        self._cancel(key)
        self._later[key] = asyncio.get_running_loop().call_later(seconds, self.add, key)

    async def get(self) -> Key:
        """Waits for a key that no other worker has. Raises Closed."""
        while (key := self._next()) is None:
            self._wake.clear()
            await self._wake.wait()
        del self._dirty[key]
        self._running[key] = _now()
        self._cancel(key)
        return key

    def done(self, key: Key) -> None:
        """The worker has finished with it."""
        self._running.pop(key, None)
        self._wake.set()

    def close(self) -> None:
        """Who waits for a key, or asks for the next, gets Closed."""
        self._closed = True
        self._wake.set()
        for key in tuple(self._later):
            self._cancel(key)

    def failed(self, key: Key) -> int:
        """Counts failures in a row: 1 for the first."""
        self._failures[key] = self._failures.get(key, 0) + 1
        return self._failures[key]

    def succeeded(self, key: Key) -> None:
        self._failures.pop(key, None)

    def knows(self, key: Key) -> bool:
        """Whether it waits, runs, or comes again by itself."""
        return key in self._dirty or key in self._running or key in self._later

    @property
    def depth(self) -> int:
        return len(self._dirty)

    @property
    def age(self) -> float:
        """Seconds that the oldest key has waited; one that a worker has is none of them."""
        waiting = (since for key, since in self._dirty.items() if key not in self._running)
        return max((_now() - since for since in waiting), default=0.0)

    @property
    def running_age(self) -> float:
        """Seconds for which the oldest key has been with its worker."""
        return max((_now() - since for since in self._running.values()), default=0.0)

    def _next(self) -> Key | None:
        if self._closed:
            raise Closed
        return next((key for key in self._dirty if key not in self._running), None)

    def _cancel(self, key: Key) -> None:
        if (timer := self._later.pop(key, None)) is not None:
            timer.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
