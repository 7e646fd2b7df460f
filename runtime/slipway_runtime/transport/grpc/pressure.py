"""Which messages are too much: those of connections that send and send, while the process grows.

Nobody but gRPC knows how much of a message has come, and it does not tell. That a process grows may have
other reasons, and many streams are only idle. So a few messages are never touched; of more than that, those
are ended whose connections, by the kernel's own count, receive what is in no message that was whole since.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from slipway_runtime.transport.grpc.places import Connection
from slipway_runtime.transport.grpc.reads import Read
from slipway_runtime.versions import background

_MUCH_BYTES = 16 << 20  # free memory that is worth to be returned
_POURED_BYTES = 1 << 20  # of a connection that is not idle
_REST_LOOKS = 20  # from one look at what slow messages have left to the next
_TRIALS = 3  # to give it back: calls that have ended let go of it one by one


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the process. `used`: bytes that are no file's. `give_back` what is free to the kernel: it blocks.

    `received`: bytes of each connection since it began, by its peer's name; it may lack any of them.
    """

    used: Callable[[], int]
    give_back: Callable[[], object]
    received: Callable[[], Mapping[str, int]]


class Pressure:
    """Looks at the process at each call of `too_many`, some times a second."""

    def __init__(self, memory: Memory, *, allowed: int, growth: int) -> None:
        """`allowed` messages are not looked at; others may let the process grow by `growth` bytes."""
        self._memory = memory
        self._allowed = allowed
        self._growth = growth
        self._floor = self._calm = 0
        self._looks = self._trials = 0
        self._ended = False
        self._before: dict[Connection, int] = {}
        self.stirred = False
        """Some message was slow, and what it has left was not looked at yet."""

    def begin(self) -> None:
        """To be called when there has been no message for a while."""
        self._floor = self._calm = self._memory.used()

    async def too_many(self, slow: Sequence[Read], *, quiet: bool) -> list[Read]:
        """Those of `slow` that are to be ended. `quiet`: none is slow, not even one that has a place."""
        self._looks += 1
        self.stirred |= not quiet
        if quiet and self._looks >= _REST_LOOKS:
            await self._rest()
        if not slow:
            return []
        used = await self._given_back() if self._ended else self._memory.used()
        self._ended = False
        if len(slow) <= self._allowed:
            self._floor, self._before = used, {}
        if used - self._floor <= self._growth / 4:
            return []
        guilty = self._pouring({read.connection for read in slow})
        if used - self._floor <= self._growth:
            return []
        ended = [read for read in slow if read.connection in guilty]
        self._ended = bool(ended)
        return ended

    async def _rest(self) -> None:
        """See what is used, and return what is not."""
        self._looks = 0
        used = self._memory.used()
        if self.stirred and used - self._calm > _MUCH_BYTES:
            self._trials += 1
            used = await self._given_back()
        if self._trials in (0, _TRIALS) or used - self._calm <= _MUCH_BYTES:
            self._calm, self._trials, self.stirred = used, 0, False
        self._floor, self._before = used, {}

    async def _given_back(self) -> int:
        await background.run(self._memory.give_back, name="give-back", nice=0)
        return self._memory.used()

    def _pouring(self, connections: set[Connection]) -> set[Connection]:
        """Those that have received much since the first look at them."""
        received = self._memory.received()
        now = {one: received.get(one.peer, 0) - one.taken for one in connections}
        before = self._before
        self._before = {one: min(count, before.get(one, count)) for one, count in now.items()}
        return {one for one, count in now.items() if count - self._before[one] > _POURED_BYTES}
