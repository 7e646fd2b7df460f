"""A request's body, bounded while it is read.

A body that is too large is read to its end and thrown away (within bounds): a client that is still
sending does not read, and a server that closes on it turns its answer into a reset. What is thrown
away is not kept first.
"""

from starlette.types import Message, Receive

from slipway_runtime.transport.bodies import Account
from slipway_runtime.transport.heads import Headers
from slipway_runtime.transport.presence import ClientGoneError

_DISCARD_BYTES = 32 * 1024 * 1024


class TooLargeError(Exception):
    """The body has more bytes than it may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes")
        self.limit = limit


async def read(headers: Headers, receive: Receive, *, limit: int, account: Account) -> bytes | bytearray:
    """The whole body, of at most `limit` bytes. Raises TooLargeError, NoRoomError or ClientGoneError."""
    declared = int(headers.get(b"content-length", b"0"))  # the parser has checked that it is a number
    if declared > limit:
        if b"expect" not in headers:  # else it asked first, so nothing of it is under way
            await _discard(receive)
        raise TooLargeError(limit)
    return await _read(receive, limit, account)


async def _read(receive: Receive, limit: int, account: Account) -> bytes | bytearray:
    content: bytes | bytearray = b""
    more = True
    try:
        while more:
            message = await _next(receive)
            chunk, more = message.get("body", b""), message.get("more_body", False)
            if len(content) + len(chunk) > limit:
                raise TooLargeError(limit)
            account.add(len(chunk))
            content = _joined(content, chunk)
    except TooLargeError:
        content = b""
        account.close()
        if more:
            await _discard(receive)
        raise
    return content


def _joined(content: bytes | bytearray, chunk: bytes) -> bytes | bytearray:
    """Most bodies come in one piece, which is not copied."""
    if not content:
        return chunk
    whole = content if isinstance(content, bytearray) else bytearray(content)
    whole += chunk
    return whole


async def _discard(receive: Receive) -> None:
    size, more = 0, True
    while more and size <= _DISCARD_BYTES:
        message = await _next(receive)
        size += len(message.get("body", b""))
        more = message.get("more_body", False)


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message
