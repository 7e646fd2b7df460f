"""Messages that are arriving: what all of them may take, so that half of many does not fill the memory.

gRPC keeps what has come of a message until it is whole, and does not tell how much that is; what it is not
yet asked for stays with the client, but for a stream's window. So a message is asked for when it has a place
or its connection has credit (see `places`). Those without a place are watched (see `pressure`), as are
streams of requests, which may be idle for as long as they live. Knows no message.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import structlog
from grpc.aio import EOF

from slipway_runtime.transport.grpc.places import Connection, Connections, Places
from slipway_runtime.transport.grpc.pressure import Memory, Pressure
from slipway_runtime.transport.grpc.reads import Read
from slipway_runtime.transport.oip.errors import Kind, OipError

PLACES = 8
"""Messages that may arrive at a time beside those for which there is credit."""

_LOOK_EVERY_SECONDS = 0.05
_AT_ONCE_SECONDS = 0.05  # a message that takes longer is large, or its client is slow
_SMALL_BYTES = 1 << 20
_MOMENT_SECONDS = 0.05
_OVERHEAD_BYTES = 1024  # of a message's call: more than most have
_TURN_SECONDS = 5.0  # for a message that has a place, when others wait for one
_KNOWN_SECONDS = 120.0  # longer than a connection and its last call live

_log = structlog.get_logger("slipway.grpc")


class Arrivals:
    """All messages of the port."""

    def __init__(
        self, memory: Memory, refused: Callable[[], object], *, growth: int, patience: float
    ) -> None:
        """`refused` is called for each call that is ended for the sake of memory.

        `growth`: bytes of the process, for messages without a place; `patience`: seconds for any message.
        """
        self._refused = refused
        self._patience = patience
        self._connections = Connections()
        self._places = Places(PLACES)
        self._pressure = Pressure(memory, allowed=PLACES, growth=growth)
        self._forget_at = 0.0
        self._awake = asyncio.Event()
        self._reads: dict[Read, None] = {}  # in the order in which they began

    async def message(self, context: Any) -> bytes | None:
        """The one message of a call; None if the client sends none. Raises OipError."""
        now = time.monotonic()
        connection = self._connections.of(context.peer(), now)
        placed = self._places.take(connection)
        if placed is None:
            placed, now = await self._wait(connection), time.monotonic()
        try:
            message = await self._read(context, Read(connection, now, placed=placed))
        finally:
            self._places.leave(connection, placed=placed)
        if message is None:  # or the client has left: then the call is cancelled in a moment
            await asyncio.sleep(_MOMENT_SECONDS)
        return message

    async def messages(self, context: Any) -> AsyncIterator[bytes]:
        """Those of a stream. Raises OipError."""
        connection = self._connections.of(context.peer(), time.monotonic())
        while True:
            message = await self._read(context, Read(connection, time.monotonic(), stream=True))
            if message is None:
                return
            yield message

    async def run(self) -> None:
        """Watches until it is cancelled. A process that nobody asks for anything does not wake for it."""
        while True:
            if not (self._reads or self._pressure.stirred):
                self._awake.clear()
                await self._awake.wait()
                self._pressure.begin()
            slept_at = time.monotonic()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            now = time.monotonic()
            try:
                await self._look(now, lag=now - slept_at - _LOOK_EVERY_SECONDS)
            except Exception:  # it must go on watching
                _log.exception("arrivals_cannot_be_watched")

    async def _look(self, now: float, *, lag: float) -> None:
        if now > self._forget_at:
            self._forget_at = now + _KNOWN_SECONDS
            self._connections.forget(now - _KNOWN_SECONDS)
        # A message that has come is seen one turn of the loop later, or two.
        slow = self._slow(before=now - _AT_ONCE_SECONDS - 2 * lag)
        for read in slow:
            if read.stream:
                continue
            if not read.placed:
                read.connection.begin_anew()
            if now - read.began > self._patience:
                read.end(OipError(Kind.LATE, f"the message did not arrive within {self._patience:g} s"))
            elif read.placed and now - read.began > _TURN_SECONDS and self._places.wanted:
                read.end(self._no_room())
        watched = [read for read in slow if not (read.placed or read.ended)]
        for read in await self._pressure.too_many(watched, quiet=not slow):
            read.connection.bar()
            read.end(self._no_more() if read.stream else self._no_room())

    def _slow(self, *, before: float) -> list[Read]:
        found = []
        for read in self._reads:
            if read.began >= before:
                break
            if not read.ended:
                found.append(read)
        return found

    async def _wait(self, connection: Connection) -> bool:
        try:
            return await self._places.wait(connection, within=self._patience)
        except TimeoutError as error:
            raise self._no_room() from error

    async def _read(self, context: Any, read: Read) -> bytes | None:
        self._reads[read] = None
        self._awake.set()
        try:
            message = await context.read()
        except asyncio.CancelledError:
            read.raise_if_ended()
            raise
        finally:
            del self._reads[read]
        if message is EOF:
            return None
        read.connection.taken += len(message) + _OVERHEAD_BYTES
        if not read.stream:
            if len(message) <= _SMALL_BYTES:
                read.connection.credit += 1
            else:
                read.connection.begin_anew()
        return cast("bytes", message)

    def _no_room(self) -> OipError:
        self._refused()
        return OipError(
            Kind.OVERLOADED, "too many large messages are arriving: try again in 1 s", retry_after=1
        )

    def _no_more(self) -> OipError:
        self._refused()
        return OipError(
            Kind.UNAVAILABLE, "too many large messages are arriving: open another stream", retry_after=1
        )
