"""The short way from the parser to a hot route and back, for requests that need nothing else.

A scope, an event, three messages and a new look at each header cost more than a small model does. So
a short POST is gathered here, handed to its route, and answered with one write. All else goes through
uvicorn and the ASGI application, where the same routes give the same answers.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from slipway_runtime.transport import heads
from slipway_runtime.transport.formalities import Formalities
from slipway_runtime.transport.heads import Headers
from slipway_runtime.transport.limits import UNCOUNTED_BODY_BYTES
from slipway_runtime.transport.replies import Header, Reply

# Whoever sends one of these wants to be heard while the body is still under way, or sends no plain one.
_NEEDS_MORE = frozenset({b"expect", b"transfer-encoding", b"content-encoding"})


class Endpoint(Protocol):
    """What a hot route is, on this way."""

    async def answer(self, headers: Headers, raw: bytes | bytearray, *, received: float) -> Reply:
        """The answer, errors too. `received` is in monotonic seconds."""
        ...


class Route(NamedTuple):
    """A hot route, and the name under which it is counted."""

    name: str
    endpoint: Endpoint


class Express:
    """The hot routes, and what is said with their answers. One object a process."""

    def __init__(self, posts: Mapping[str, Endpoint], due: Formalities) -> None:
        self._routes = {path.encode(): Route(path, endpoint) for path, endpoint in posts.items()}
        self.due = due
        self._heads: dict[tuple[int, tuple[Header, ...], str], bytes] = {}
        self._always: Sequence[Header] | None = None

    def route(self, url: bytes) -> Route | None:
        """Where a POST to `url` may go on this way."""
        return self._routes.get(url)

    def head(self, reply: Reply, always: Sequence[Header]) -> bytes:
        """The lines that all answers like `reply` begin with. `always` are the server's own headers.

        Written once a second for each kind of answer: uvicorn makes a new `always` then, for its Date.
        """
        if always is not self._always:
            self._always = always
            self._heads.clear()
        kind = (reply.status, reply.headers, self.due.version())
        head = self._heads.get(kind)
        if head is None:
            said = (*always, *reply.headers, *self.due.headers(reply.headers))
            head = self._heads[kind] = heads.write(reply.status, said)
        return head


def is_short(headers: Headers) -> bool:
    """Whether the request with these headers has a short body and needs nothing while it comes."""
    length = headers.get(b"content-length")  # the parser has checked that it is a number
    if length is None or int(length) > UNCOUNTED_BODY_BYTES:
        return False
    return _NEEDS_MORE.isdisjoint(headers)
