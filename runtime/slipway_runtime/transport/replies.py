"""An answer on its way out: one start, one body. Knows no route."""

from collections.abc import Iterable

from starlette.types import Send

Header = tuple[bytes, bytes]

JSON = (b"content-type", b"application/json")


async def send(send: Send, *, status: int = 200, headers: Iterable[Header], body: bytes) -> None:
    """Send a whole answer; its length is added to `headers`."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
