"""What is due with every answer of the models' port, whichever way its request takes: a count, an id,
and who gave it. Knows no connection and no route's work.
"""

import random
import re
from collections.abc import Callable, Iterable

from prometheus_client import Counter

from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport.replies import Header

VERSION_HEADER = b"x-slipway-version"
REQUEST_ID_HEADER = b"x-request-id"
CLIENT_GONE = 499
"""Counted as the status of what nobody was there to be told; never sent."""

_REQUEST_ID = re.compile(rb"[!-~]{1,128}")


class Formalities:
    """One object a process."""

    def __init__(self, metrics: Metrics, *, pod: str, version: Callable[[], str]) -> None:
        """`version` names the version of answers that do not say it themselves."""
        self._metrics = metrics
        self._pod = (b"x-slipway-pod", pod.encode())
        self.version = version
        self._counters: dict[tuple[str, int], Counter] = {}

    def count(self, endpoint: str, status: int) -> None:
        counter = self._counters.get((endpoint, status))
        if counter is None:  # both come from closed sets
            counter = self._counters[endpoint, status] = self._metrics.requests.labels(endpoint, str(status))
        counter.inc()

    def headers(self, said: Iterable[Header]) -> list[Header]:
        """What is said besides `said`."""
        if any(name == VERSION_HEADER for name, _ in said):
            return [self._pod]
        version = self.version()
        return [self._pod, (VERSION_HEADER, version.encode())] if version else [self._pod]


def request_id(sent: bytes | None) -> bytes:
    """The client's own, if it is fit to be repeated in a header and a log, else a new one."""
    if sent is not None and _REQUEST_ID.fullmatch(sent):
        return sent
    return b"%032x" % random.getrandbits(128)  # told apart, not kept secret
