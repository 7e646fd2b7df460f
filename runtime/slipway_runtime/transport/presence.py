"""Work for a client that may leave: when it does, the work is cancelled, and its rows leave the queue.

The connection tells by a call, so that a request costs no task of its own for this.
"""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Scope

from slipway_runtime.transport.connection import SCOPE_KEY, Connection


class ClientGoneError(Exception):
    """The client closed the connection: there is nobody to answer."""


class Presence:
    """`with` it: the block is cancelled when the client leaves, and ends with ClientGoneError then."""

    __slots__ = ("_connection", "_left", "_task")

    def __init__(self, scope: Scope) -> None:
        self._connection: Connection | None = scope.get(SCOPE_KEY)
        self._task: asyncio.Task[object] | None = None
        self._left = False

    def __enter__(self) -> Self:
        if self._connection is not None:
            if self._connection.lost:
                raise ClientGoneError
            self._task = asyncio.current_task()
            self._connection.on_lost = self._leave
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.on_lost = None
        if self._left and self._task is not None:
            self._task.uncancel()
            raise ClientGoneError from error

    def _leave(self) -> None:
        self._left = True
        if self._task is not None:
            self._task.cancel()
