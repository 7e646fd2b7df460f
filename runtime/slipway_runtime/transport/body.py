"""A request's body, bounded while it is read.

A body that is too large is read to its end and thrown away (within bounds): a client that is still
sending does not read, and a server that closes on it turns its answer into a reset. What is thrown
away is not kept first.
"""

from collections.abc import Mapping

from starlette.types import Message, Receive

from slipway_runtime.transport.presence import ClientGoneError

Headers = Mapping[bytes, bytes]

_DISCARD_BYTES = 32 * 1024 * 1024


class TooLargeError(Exception):
    """The body has more bytes than it may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes")
        self.limit = limit


async def read(headers: Headers, receive: Receive, *, limit: int) -> bytes | bytearray:
    """The whole body, of at most `limit` bytes. Raises TooLargeError or ClientGoneError."""
    declared = int(headers.get(b"content-length", b"0"))  # the parser has checked that it is a number
    if declared > limit:
        if b"expect" not in headers:  # else it asked first, so nothing of it is under way
            await _discard(receive)
        raise TooLargeError(limit)
    first = await _next(receive)
    if not first.get("more_body"):
        return _whole(first["body"], limit)
    return await _read_on(bytearray(first["body"]), receive, limit)


def _whole(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise TooLargeError(limit)
    return content


async def _read_on(content: bytearray, receive: Receive, limit: int) -> bytearray:
    more = True
    while more and len(content) <= limit:
        message = await _next(receive)
        content += message.get("body", b"")
        more = message.get("more_body", False)
    if len(content) > limit:
        content.clear()
        if more:
            await _discard(receive)
        raise TooLargeError(limit)
    return content


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
