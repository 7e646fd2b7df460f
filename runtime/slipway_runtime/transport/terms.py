"""The terms of a request as its headers say them: until when its answer is of use, and how urgent it is.

`X-Request-Timeout` is in seconds and can only bring the server's own limit nearer;
`X-Request-Priority` is interactive or bulk. The same headers for every route. Pure.
"""

import math

from slipway_runtime.scheduling.calls import Call, Lane
from slipway_runtime.transport.heads import Headers

TIMEOUT = "X-Request-Timeout"
PRIORITY = "X-Request-Priority"

_TIMEOUT_KEY = TIMEOUT.lower().encode()
_PRIORITY_KEY = PRIORITY.lower().encode()
_LANES = {lane.value.encode(): lane for lane in Lane}


class InvalidTermsError(Exception):
    """A header that says nothing; the message names it."""


def of(headers: Headers, *, received: float, timeout: float) -> Call:
    """`received` is when the request came (monotonic seconds), `timeout` the server's own limit.

    Raises InvalidTermsError.
    """
    lane = Lane.INTERACTIVE
    if _TIMEOUT_KEY in headers:
        timeout = min(timeout, _seconds(headers[_TIMEOUT_KEY]))
    if _PRIORITY_KEY in headers:
        lane = _lane(headers[_PRIORITY_KEY])
    return Call(deadline=received + timeout, lane=lane)


def _seconds(value: bytes) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidTermsError(f"{TIMEOUT}: it is a number of seconds, more than 0")
    return seconds


def _lane(value: bytes) -> Lane:
    lane = _LANES.get(value.strip().lower())
    if lane is None:
        raise InvalidTermsError(f"{PRIORITY}: it is interactive or bulk")
    return lane
