"""Whose message may arrive: a few places, for which connections queue, and each connection's own credit.

Credit is for messages without a place: at first for one, and for one more with each that was small, since
small messages are there as soon as they are asked for and need not wait behind large ones. With a message
that is large, or slow to come, it begins anew. Knows nothing of gRPC.
"""

import asyncio
import collections

_LEAST = 1


class Connection:
    """`credit`: how many messages may arrive without a place, of which `loose` do. `taken`: bytes, in all."""

    __slots__ = ("credit", "loose", "peer", "placed", "seen", "taken", "waiting")

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.credit = _LEAST
        self.loose = 0
        self.placed = False
        self.waiting: collections.deque[asyncio.Future[bool]] = collections.deque()
        self.seen = 0.0
        self.taken = 0

    def begin_anew(self) -> None:
        self.credit = min(self.credit, _LEAST)

    def bar(self) -> None:
        """No more credit, until a message that had a place was small and came at once."""
        self.credit = 0


class Connections:
    """Those that were seen not long ago, by the name of their peer."""

    def __init__(self) -> None:
        self._known: dict[str, Connection] = {}

    def of(self, peer: str, now: float) -> Connection:
        found = self._known.get(peer)
        if found is None:
            found = self._known[peer] = Connection(peer)
        found.seen = now
        return found

    def forget(self, before: float) -> None:
        """Those that were last seen before then, and are not wanted any more: nobody tells of their end."""
        for peer, connection in list(self._known.items()):
            if connection.seen < before and not (connection.placed or connection.loose or connection.waiting):
                del self._known[peer]


class Places:
    """A number of places, of which a connection has one at a time."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._turns: collections.deque[Connection] = collections.deque()

    @property
    def wanted(self) -> bool:
        """Whether a connection waits for a place."""
        return any(any(not future.done() for future in one.waiting) for one in self._turns)

    def take(self, connection: Connection) -> bool | None:
        """Let one message arrive, until `leave`. Whether it has a place, or else a part of the credit.

        None when it may not arrive yet: then `wait`.
        """
        if connection.loose < connection.credit:
            connection.loose += 1
            return False
        if self._free and not connection.placed and not connection.waiting:
            self._give_place(connection)
            return True
        return None

    async def wait(self, connection: Connection, *, within: float) -> bool:
        """As `take`, once it may arrive. Raises TimeoutError after `within` seconds."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        connection.waiting.append(future)
        self._queue(connection)
        try:
            async with asyncio.timeout(within):
                return await future
        except BaseException:
            if future.done() and not future.cancelled():
                self.leave(connection, placed=future.result())
            raise

    def leave(self, connection: Connection, *, placed: bool) -> None:
        """The message is there, or will not come any more."""
        if placed:
            self._free += 1
            connection.placed = False
        else:
            connection.loose -= 1
        if connection.waiting:
            self._use_credit(connection)
            self._queue(connection)
        while self._free and self._turns:
            self._grant(self._turns.popleft())

    def _use_credit(self, connection: Connection) -> None:
        while connection.loose < connection.credit and (future := _next(connection)):
            connection.loose += 1
            future.set_result(False)

    def _queue(self, connection: Connection) -> None:
        if not connection.placed and connection.waiting and connection not in self._turns:
            self._turns.append(connection)

    def _grant(self, connection: Connection) -> None:
        if future := _next(connection):
            self._give_place(connection)
            future.set_result(True)

    def _give_place(self, connection: Connection) -> None:
        self._free -= 1
        connection.placed = True


def _next(connection: Connection) -> "asyncio.Future[bool] | None":
    """The call that has waited longest, if any still waits."""
    while connection.waiting:
        future = connection.waiting.popleft()
        if not future.done():
            return future
    return None
