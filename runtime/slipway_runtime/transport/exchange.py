"""One request that goes the short way, and its answer. Knows its connection, and no route's work."""

import asyncio
import time
from typing import TYPE_CHECKING, cast

import structlog

from slipway_runtime.telemetry import logs
from slipway_runtime.transport import formalities, problems
from slipway_runtime.transport.express import Express, Route
from slipway_runtime.transport.formalities import CLIENT_GONE, REQUEST_ID_HEADER
from slipway_runtime.transport.heads import Headers
from slipway_runtime.transport.replies import Reply

if TYPE_CHECKING:
    from slipway_runtime.transport.connection import Connection

_log = structlog.get_logger("slipway.http")


class Exchange:
    """Stands where uvicorn has its RequestResponseCycle, with as much of it as is looked at."""

    message_event = asyncio.Event()
    """uvicorn sets it when the client leaves; nobody waits for it."""

    __slots__ = (
        "_body",
        "_connection",
        "_express",
        "_headers",
        "_received",
        "_route",
        "_task",
        "disconnected",
        "keep_alive",
        "response_complete",
    )

    def __init__(self, connection: "Connection", express: Express, route: Route, headers: Headers) -> None:
        """Its head has been read."""
        self._connection = connection
        self._express = express
        self._route = route
        self._headers = headers
        self._received = time.monotonic()
        self._body: bytes | bytearray = b""
        self._task: asyncio.Task[None] | None = None
        self.keep_alive: bool = connection.parser.should_keep_alive()
        self.disconnected = False
        self.response_complete = False
        connection.on_lost = self._leave

    def add(self, piece: bytes) -> None:
        """More of its body, most of which come in one piece."""
        if not self._body:
            self._body = piece
            return
        if not isinstance(self._body, bytearray):
            self._body = bytearray(self._body)
        self._body += piece

    def begin(self) -> None:
        """All of its body is here."""
        connection = self._connection
        self._task = connection.loop.create_task(self._run())
        connection.tasks.add(self._task)  # uvicorn cancels these when the time of its shutdown is up

    def _leave(self) -> None:
        """The client has gone: nobody is to be answered."""
        self._body = b""
        self._express.due.count(self._route.name, CLIENT_GONE)
        if self._task is not None:
            self._task.cancel()
            self._connection.tasks.discard(self._task)

    async def _run(self) -> None:
        request_id = formalities.request_id(self._headers.get(REQUEST_ID_HEADER))
        logs.request_id.set(request_id)  # never unset: the task's context ends with it
        reply = await self._reply()
        if self._connection.flow.write_paused:  # the client does not read what was sent before
            await self._connection.flow.drain()
        if self._connection.lost:
            return
        try:
            self._end(self._bytes(reply, request_id), reply.status)
        except Exception:
            _log.exception("not_answered", path=self._route.name)
            self._connection.transport.close()

    async def _reply(self) -> Reply:
        try:
            return await self._route.endpoint.answer(self._headers, self._body, received=self._received)
        except asyncio.CancelledError:
            if self._connection.lost:
                raise
            self.keep_alive = False  # the server ends, and says so
        except Exception:
            _log.exception("unhandled_error", path=self._route.name)
        return problems.reply(problems.internal())

    def _bytes(self, reply: Reply, request_id: bytes) -> bytes:
        if self.keep_alive and self._connection.must_close(time.monotonic()):
            self.keep_alive = False
        head = self._express.head(reply, self._connection.server_state.default_headers)
        farewell = b"" if self.keep_alive else b"connection: close\r\n"
        return b"%bcontent-length: %d\r\nx-request-id: %b\r\n%b\r\n%b" % (
            head,
            len(reply.body),
            request_id,
            farewell,
            reply.body,
        )

    def _end(self, answer: bytes, status: int) -> None:
        connection = self._connection
        connection.transport.writelines((answer,))
        self.response_complete = True
        self._body = b""  # the connection keeps this object until its next request, which may be never
        connection.on_lost = None
        connection.tasks.discard(cast("asyncio.Task[None]", self._task))
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()
        self._express.due.count(self._route.name, status)
