"""The port of kubelet and Prometheus: /livez, /readyz, /metrics.

Served by a thread and a loop of its own, from the first second of the process on, so that neither
loading nor overload can fail liveness. It answers from memory and never runs the model.
"""

import asyncio
import json
import socket
import threading
import time
from typing import Any

import uvicorn

from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.telemetry import metrics as metrics_module
from slipway_runtime.telemetry.metrics import Metrics

_DEAD = 3.0  # times as late as what is called stuck


class Probes:
    """An ASGI application over the process's lifecycle and metrics."""

    def __init__(self, lifecycle: Lifecycle, metrics: Metrics, *, max_silence: float) -> None:
        """`max_silence`: seconds without a heartbeat of the main loop after which it counts as dead."""
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._max_silence = max_silence

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        status, content_type, body = self._answer(scope["path"])
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str) -> tuple[int, str, bytes]:
        match path:
            case "/livez":
                return self._alive(time.monotonic())
            case "/readyz":
                return _json(ready=self._lifecycle.ready, phase=self._lifecycle.phase)
            case "/metrics":
                return 200, metrics_module.CONTENT_TYPE, self._metrics.render()
        return 404, "text/plain", b"/livez, /readyz and /metrics are served here\n"

    def _alive(self, now: float) -> tuple[int, str, bytes]:
        """A run that has not come back by far will not: only a new process has its thread again."""
        silence, overdue = self._lifecycle.silent_for(now), self._lifecycle.overdue(now)
        return _json(
            alive=silence <= self._max_silence and overdue < _DEAD,
            main_loop_silent_seconds=round(silence, 1),
            run_overdue=round(overdue, 2),
        )


def _json(**facts: object) -> tuple[int, str, bytes]:
    """200 when the first fact is true, else 503."""
    good = bool(next(iter(facts.values())))
    return (200 if good else 503), "application/json", json.dumps(facts).encode()


def serve(probes: Probes, listener: socket.socket) -> threading.Thread:
    """Serve in a new thread, for as long as the process lives."""
    config = uvicorn.Config(
        probes, lifespan="off", log_config=None, access_log=False, http="httptools", ws="none"
    )
    server = _Server(config)

    def run() -> None:
        asyncio.run(server.serve(sockets=[listener]))

    thread = threading.Thread(target=run, name="probes", daemon=True)
    thread.start()
    return thread


class _Server(uvicorn.Server):
    """It is never told to end, so it need not look for that ten times a second."""

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # noqa: ASYNC110  # it sets the time in its answers
            await asyncio.sleep(1)
