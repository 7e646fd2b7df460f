"""An answer on its way out: one start, one body. Knows no route."""

from typing import NamedTuple

from starlette.types import Send

Header = tuple[bytes, bytes]

JSON = (b"content-type", b"application/json")


class Reply(NamedTuple):
    """A whole answer, but for what is said with every one."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


async def send(send: Send, reply: Reply) -> None:
    """Send a whole answer the way of ASGI; its length is said too."""
    length = (b"content-length", str(len(reply.body)).encode())
    start = {"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, length]}
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})
