"""How long version 1 of the contract stays, told with each of its answers.

A promise: computed from the day on which version 2 was released, and no setting makes it shorter.
Pure.
"""

import calendar
import datetime
from email import utils

V2_RELEASED = datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC)
MONTHS_KEPT = 3

SUCCESSOR = "/v2/predict"
_EXPLANATION = "/docs"


def sunset(released: datetime.datetime = V2_RELEASED) -> datetime.datetime:
    """Version 1 is served at least until then: the same day of a later month, or that month's last."""
    month = released.month - 1 + MONTHS_KEPT
    year, month = released.year + month // 12, month % 12 + 1
    return released.replace(
        year=year, month=month, day=min(released.day, calendar.monthrange(year, month)[1])
    )


def headers() -> tuple[tuple[bytes, bytes], ...]:
    """Deprecation (RFC 9745), Sunset (RFC 8594), and where to read on."""
    links = f'<{_EXPLANATION}>; rel="deprecation"; type="text/html", <{SUCCESSOR}>; rel="successor-version"'
    return (
        (b"deprecation", f"@{int(V2_RELEASED.timestamp())}".encode()),
        (b"sunset", utils.format_datetime(sunset(), usegmt=True).encode()),
        (b"link", links.encode()),
    )
