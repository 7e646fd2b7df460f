"""uvicorn's server, which drains by itself when it is told to stop.

On SIGTERM the listener stays open and every request is answered, each with `Connection: close`,
until the clients have gone. uvicorn's own shutdown, which closes the listener and every idle
socket at once, is only entered when there is nobody left, or the time is up.
"""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from types import FrameType

import structlog
import uvicorn

from slipway_runtime import leaving
from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport.drain import Drain

_OFTEN_SECONDS, _SELDOM_SECONDS = 0.1, 1.0

_log = structlog.get_logger("slipway.server")


class DrainingServer(uvicorn.Server):
    """The server of the models' port. Ends by itself after SIGTERM, with exit code 0."""

    def __init__(
        self,
        config: uvicorn.Config,
        drain: Drain,
        lifecycle: Lifecycle,
        metrics: Metrics,
        *,
        stop_beside: Callable[[], Awaitable[None]],
    ) -> None:
        """`stop_beside` stops what serves on other ports; they are left in the same moment as this one."""
        super().__init__(config)
        self._stop_beside = stop_beside
        self._drain = drain
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def stop_now(self) -> None:
        """End without a drain: for a pod that will never serve."""
        self.should_exit = True
        self._look_now()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """SIGTERM drains; a second one, or Ctrl-C, stops; a pod that was never ready leaves at once.

        The signal is not kept for uvicorn, which would raise it again at the end: a pod that
        drained has done what it was asked to, and exits with 0.
        """
        if not self._lifecycle.started:
            leaving.at_once(0)
        if sig == signal.SIGINT or self._drain.begun:
            self.force_exit = self.should_exit
            self.should_exit = True
        else:
            self._drain.begin(time.monotonic())
        self._look_now()

    async def main_loop(self) -> None:
        """As uvicorn's, which looks ten times a second whether it is to leave: half of what it costs to be
        idle. Here a signal wakes the loop, and only from then on is looked so often.
        """
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # 0: it sets the time in its answers
            if self._drain.begun:
                await asyncio.sleep(_OFTEN_SECONDS)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), _SELDOM_SECONDS)

    def _look_now(self) -> None:
        """From a signal handler, or from the loop."""
        if self._loop is not None:  # else it is going to look first of all
            self._loop.call_soon_threadsafe(self._told.set)

    async def on_tick(self, counter: int) -> bool:
        if self._drain.begun:
            self._metrics.draining.set(1)
        return await super().on_tick(counter) or self._drain.is_over(time.monotonic())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _log.info("stopping", connections_open=self._drain.open)
        await asyncio.gather(super().shutdown(sockets), self._stop_beside())
