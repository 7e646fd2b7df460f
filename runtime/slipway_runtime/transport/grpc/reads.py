"""One message that gRPC was asked for, and how its call is ended before the message is whole."""

import asyncio

from slipway_runtime.transport.grpc.places import Connection
from slipway_runtime.transport.oip.errors import OipError


class Read:
    """Made by the task of its call. `placed`: it has one of the places; `stream`: it may be idle."""

    __slots__ = ("_refusal", "_task", "began", "connection", "placed", "stream")

    def __init__(
        self, connection: Connection, began: float, *, placed: bool = False, stream: bool = False
    ) -> None:
        self.connection = connection
        self.began = began
        self.placed = placed
        self.stream = stream
        self._refusal: OipError | None = None
        self._task = asyncio.current_task()

    @property
    def ended(self) -> bool:
        return self._refusal is not None

    def end(self, refusal: OipError) -> None:
        """Let the call fail with `refusal`. gRPC has no way to be asked for a message no more."""
        if not self.ended and self._task is not None:
            self._refusal = refusal
            self._task.cancel()

    def raise_if_ended(self) -> None:
        """To be called when the task was cancelled: by `end`, or by a client that has left."""
        if self._refusal is not None and self._task is not None and not self._task.uncancel():
            raise self._refusal from None
