"""Requests that offer another protocol, read as if they did not.

A server may ignore an `Upgrade` header (RFC 9110, section 7.8), and Java's own HTTP client sends one
(`h2c`) with every first request in the clear. The parser takes what follows such a head for the other
protocol, so the body would be lost: the head is written again without the offer. Pure.
"""

from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]

_OFFERS = frozenset({b"upgrade", b"http2-settings"})


def head_without_offer(*, method: bytes, url: bytes, version: bytes, headers: Headers) -> bytes:
    """The head of the same request without its offer, ready to be parsed."""
    lines = [b" ".join((method, url, b"HTTP/" + version))]
    for name, value in headers:
        kept = _connection_without_offer(value) if name == b"connection" else value
        if name not in _OFFERS and kept:
            lines.append(name + b": " + kept)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def is_offered(headers: Headers) -> bool:
    """Whether these headers offer another protocol (CONNECT has none to leave out)."""
    return any(name == b"upgrade" for name, _ in headers)


def _connection_without_offer(value: bytes) -> bytes:
    tokens = [token.strip() for token in value.split(b",")]
    return b", ".join(token for token in tokens if token.lower() not in _OFFERS)
