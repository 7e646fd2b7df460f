"""Compressed bodies, both ways, as stock clients send and ask for them: gzip, and deflate (zlib's form).

What a body claims is never believed: it is inflated up to its bound and no further. Pure.
"""

import gzip
import zlib

from slipway_runtime.transport.body import TooLargeError

_ANY_FORM = zlib.MAX_WBITS | 32  # gzip's or zlib's, told apart by its head
_LEVEL = 1  # tensors gain little from more
_WORTHWHILE_BYTES = 1024


class BrokenError(Exception):
    """The body is not what its Content-Encoding says."""


def inflate(content: bytes | bytearray, *, limit: int) -> bytes:
    """The body before it was compressed. Raises TooLargeError above `limit` bytes, or BrokenError."""
    stream = zlib.decompressobj(_ANY_FORM)
    try:
        plain = stream.decompress(content, limit + 1)
    except zlib.error as error:
        raise BrokenError(f"the body cannot be decompressed: {error}") from error
    if len(plain) > limit:
        raise TooLargeError(limit)
    if not stream.eof or stream.unused_data:
        raise BrokenError("the body cannot be decompressed: it is not one whole stream")
    return plain


def choose(accepted: bytes) -> str | None:
    """The encoding for an answer whose client sent this Accept-Encoding; None is none."""
    for entry in accepted.lower().split(b","):
        name, _, parameters = entry.partition(b";")
        if name.strip() in (b"gzip", b"deflate") and parameters.replace(b" ", b"") not in (b"q=0", b"q=0.0"):
            return name.strip().decode()
    return None


def deflate(content: bytes, encoding: str | None) -> tuple[bytes, str | None]:
    """The body, and the encoding that it really has: a short one is left as it is."""
    if encoding is None or len(content) < _WORTHWHILE_BYTES:
        return content, None
    if encoding == "gzip":
        return gzip.compress(content, _LEVEL), encoding
    return zlib.compress(content, _LEVEL), encoding
