"""A transport that sends the head of an answer and its body at once.

uvicorn writes the two apart, each of which is a call of the kernel and wakes the client, who can do
nothing with the head alone. What is written alone goes out at the end of the loop's turn.
"""

import asyncio
from collections.abc import Iterable
from typing import Any


class Corked:
    """Stands in for the transport of a connection."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: bytes | None = None

    def write(self, data: bytes) -> None:
        """The first write of a turn waits for a second one, or for the turn's end."""
        if self._held is None:
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            held, self._held = self._held, None
            self._transport.writelines((held, data))

    def writelines(self, parts: Iterable[bytes]) -> None:
        """A whole answer: nothing more is waited for."""
        self._flush()
        self._transport.writelines(parts)

    def close(self) -> None:
        """What has been written is sent first."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._held = None
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._transport.write(held)
