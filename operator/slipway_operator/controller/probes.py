"""What the kubelet and Prometheus ask, answered from the event loop whose health is in question.

/livez and /readyz on one port, /metrics on another. Must not know what is healthy.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import prometheus_client
from aiohttp import web


class Health(NamedTuple):
    """One answer to a probe."""

    well: bool
    words: str


@contextlib.asynccontextmanager
async def serving(
    *,
    health_port: int,
    metrics_port: int,
    alive: Callable[[], Health],
    ready: Callable[[], Health],
    measure: Callable[[], None],
) -> AsyncIterator[None]:
    """Listens on both ports. `measure` is called before the metrics are shown."""

    async def livez(_: web.Request) -> web.Response:
        return _answer(alive())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(ready())

    async def metrics(_: web.Request) -> web.Response:
        measure()
        shown = prometheus_client.generate_latest()
        return _closing(
            web.Response(body=shown, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})
        )

    async with (
        _listening(health_port, [web.get("/livez", livez), web.get("/readyz", readyz)]),
        _listening(metrics_port, [web.get("/metrics", metrics)]),
    ):
        yield


@contextlib.asynccontextmanager
async def _listening(port: int, routes: list[web.RouteDef]) -> AsyncIterator[None]:
    application = web.Application()
    application.add_routes(routes)
    runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "0.0.0.0", port).start()  # noqa: S104 - the kubelet comes from outside
        yield
    finally:
        await runner.cleanup()


def _answer(health: Health) -> web.Response:
    return _closing(web.Response(text=f"{health.words}\n", status=200 if health.well else 503))


def _closing(response: web.Response) -> web.Response:
    """kopf waits at its end for every task, also for that of a connection that idles."""
    response.force_close()
    return response
