"""How long a connection has had nothing to do. Knows no socket."""

import asyncio
from collections.abc import Callable


class Idleness:
    """Calls `expired` when it has lasted for `limit` seconds.

    One timer, which looks at the time when it fires: one that is set anew with each request costs more
    than all else that a connection does for it.
    """

    __slots__ = ("_expired", "_limit", "_loop", "_since", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: float, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._limit = limit
        self._expired = expired
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        self._since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(self._since + self._limit, self._look)

    def end(self) -> None:
        self._since = None

    def stop(self) -> None:
        """Call nobody any more."""
        self._since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._since is None:
            return
        until = self._since + self._limit
        if self._loop.time() < until:
            self._timer = self._loop.call_at(until, self._look)
        else:
            self._expired()
