"""A request's body, bounded while it is read.

A body that is too large is read to its end and thrown away (within bounds): a client that is still
sending does not read, and a server that closes on it turns its answer into a reset.
"""

from starlette.types import Receive, Scope

from slipway_runtime.transport import problems

_DISCARD_FACTOR = 16


class ClientGoneError(Exception):
    """The client closed the connection: there is nobody to answer."""


async def read(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """The whole body, of at most `limit` bytes. Raises ProblemError (413, 415) or ClientGoneError."""
    headers = dict(scope["headers"])
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding != b"identity":
        raise problems.unsupported_encoding(encoding[:40].decode("ascii", "replace"))
    declared = int(headers.get(b"content-length", b"0"))  # the parser has checked that it is a number
    if declared > limit and b"expect" in headers:
        raise problems.body_too_large(limit)  # it asked first, so nothing of it is under way
    return await _read(receive, limit)


async def _read(receive: Receive, limit: int) -> bytes:
    body, size, more = bytearray(), 0, True
    while more and size <= limit * _DISCARD_FACTOR:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            body += chunk
        more = message.get("more_body", False)
    if size > limit:
        raise problems.body_too_large(limit)
    return bytes(body)


async def until_gone(receive: Receive) -> None:
    """Returns when the client of a fully read request has gone (or has been answered)."""
    while (await receive())["type"] != "http.disconnect":
        pass
