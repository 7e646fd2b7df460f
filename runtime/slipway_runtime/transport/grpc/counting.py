"""How many connections the gRPC port has, told to the drain and to the metrics from time to time.

Where they cannot be counted somebody is presumed to be there, until his connection's age has passed.
Knows nothing of gRPC.
"""

import asyncio
import time

import structlog

from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport.drain import Drain
from slipway_runtime.transport.grpc import sockets

_COUNT_EVERY_SECONDS = 0.25
# The kernel walks all connections of the node for it, which takes milliseconds: until the process
# drains they are counted for the gauge only, and that seldom.
_COUNT_SELDOM_SECONDS = 15.0
# Where connections cannot be counted: for clients that came while the endpoints still pointed here.
_LATE_COMERS_SECONDS = 10

_log = structlog.get_logger("slipway.grpc")


class Counting:
    """Counts the connections of one port, none of which is older than `max_age` seconds."""

    def __init__(self, drain: Drain, metrics: Metrics, *, max_age: float) -> None:
        self._drain = drain
        self._metrics = metrics
        self._max_age = max_age
        self._failed = False

    async def run(self, port: int) -> None:
        """Until it is cancelled."""
        due = 0.0
        while True:
            now = time.monotonic()
            if self._drain.begun or now >= due:
                due = now + _COUNT_SELDOM_SECONDS
                await self.count(port, now)
            await asyncio.sleep(_COUNT_EVERY_SECONDS)

    async def count(self, port: int, now: float) -> None:
        open_now = await self._established(port)
        if open_now is None:
            open_now = self._presumed(now)
        self._metrics.grpc_connections_open.set(open_now)
        self._drain.counted(open_now, now)

    async def _established(self, port: int) -> int | None:
        """What the kernel says, None when it cannot be asked: a drain waits for this, so it does not fail."""
        try:
            return await asyncio.to_thread(sockets.established, port)
        except Exception as error:
            if not self._failed:
                self._failed = True
                _log.warning("connections_cannot_be_counted", error=repr(error))
            return None

    def _presumed(self, now: float) -> int:
        """Somebody, until everybody who was here or came a little later has reached his age."""
        began = self._drain.began
        over = began is not None and now - began > self._max_age + _LATE_COMERS_SECONDS
        return 0 if over else 1
