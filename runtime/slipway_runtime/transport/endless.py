"""Heads of requests that are too large or have no end, and what takes the place of what would collect them.

Neither the parser nor uvicorn bounds a head, nor the trailers behind a body in chunks. Pure.
"""

from collections.abc import Collection

from slipway_runtime.transport.replies import Header

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 256


class HeadTooLargeError(Exception):
    """Raised through the parser, which then reads no further."""


class Deaf:
    """Stands where the parser was, once nothing that comes is of interest."""

    def feed_data(self, data: bytes) -> None:
        """Throw it away."""


class Trailers(list[Header]):
    """Stands where the headers were, once they are complete: nobody looks at what comes behind a body."""

    def append(self, header: Header) -> None:
        """Throw it away."""


TRAILERS = Trailers()


def is_too_large(url: bytes, headers: Collection[Header]) -> bool:
    """Whether a head is, that has come as a whole."""
    size = len(url) + sum(len(name) + len(value) for name, value in headers)
    return size > MAX_HEAD_BYTES or len(headers) > MAX_HEADERS
