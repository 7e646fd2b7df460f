"""How many bytes of request bodies are held at a time, by all requests together.

A body is counted as it arrives and until its request is answered, since rows are views of it: many
clients that send half of a large request must not fill the memory. Short bodies are not counted.
"""

from collections.abc import Callable

from slipway_runtime.transport.limits import UNCOUNTED_BODY_BYTES


class NoRoomError(Exception):
    """Too many large bodies are held already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the requests under way have {limit} bytes of bodies already")


class Bodies:
    """The bound of one process, on one event loop."""

    def __init__(self, limit: int, refused: Callable[[], object]) -> None:
        """`refused` is called for each request that finds no room."""
        self._limit = limit
        self._refused = refused
        self._held = 0

    def account(self) -> "Account":
        return Account(self)

    def take(self, size: int) -> None:
        """Raises NoRoomError. A body that is the only one always has room: its own limit bounds it."""
        if self._held and self._held + size > self._limit:
            self._refused()
            raise NoRoomError(self._limit)
        self._held += size

    def give(self, size: int) -> None:
        self._held -= size


class Account:
    """What one request holds."""

    __slots__ = ("_bodies", "_size", "_taken")

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._size = 0
        self._taken = 0

    def add(self, size: int) -> None:
        """`size` more bytes are held. Raises NoRoomError."""
        self._size += size
        if self._size > UNCOUNTED_BODY_BYTES:
            more = self._size - self._taken
            self._bodies.take(more)
            self._taken += more

    def close(self) -> None:
        """The request has been answered."""
        if self._taken:
            self._bodies.give(self._taken)
            self._taken = 0
