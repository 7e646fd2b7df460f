"""Headers as they have come, and the head of an answer as it goes over the wire. Pure."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from slipway_runtime.transport.replies import Header

Headers = Mapping[bytes, bytes]
"""Of a request, by their names in lower case. Of two with one name the last one counts."""

_LINE_ENDS = re.compile(rb"[\r\n\0]")


def write(status: int, headers: Iterable[Header]) -> bytes:
    """The status line and `headers`, and not the empty line after them.

    Raises ValueError for a header that would be more than one.
    """
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b" % header for header in headers]
    if any(_LINE_ENDS.search(line) for line in lines):
        raise ValueError(f"a header with the end of a line in it: {lines}")
    return b"".join(b"%b\r\n" % line for line in lines)
