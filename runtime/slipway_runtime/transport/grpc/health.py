"""grpc.health.v1: readiness, for clients and probes that ask over gRPC.

As over HTTP it stays SERVING in a drain: who still comes here is served. Knows no model.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.transport.grpc.guarding import Guarded

_LOOK_EVERY_SECONDS = 0.5

SERVICE_NAME: str = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name

_Response = health_pb2.HealthCheckResponse


class Health:
    """The servicer. Knows the server as a whole (no name) and the services that it is told of."""

    def __init__(self, lifecycle: Lifecycle, services: frozenset[str], *, max_age: float) -> None:
        """`max_age`: seconds after which a watcher is sent away, as its connection is."""
        self._lifecycle = lifecycle
        self._services = services | {""}
        self._max_age = max_age

    def register(self, server: Guarded) -> None:
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    async def Check(self, request: Any, context: grpc.aio.ServicerContext) -> Any:  # noqa: N802  # the protocol's
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {request.service[:100]!r}")
        return _Response(status=self._status(request.service))

    async def List(self, _request: Any, _context: grpc.aio.ServicerContext) -> Any:  # noqa: N802
        """All of them at once. Newer versions of the package cannot register a servicer without it."""
        statuses = {service: _Response(status=self._status(service)) for service in self._services}
        return health_pb2.HealthListResponse(statuses=statuses)

    async def Watch(self, request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:  # noqa: N802
        """The status now and whenever it changes. A watcher must not outlive its connection's age."""
        leaves_at, told = time.monotonic() + self._max_age, None
        while time.monotonic() < leaves_at:
            status = self._status(request.service)
            if status != told:
                yield _Response(status=status)
                told = status
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "watched for long enough: watch again")

    def _status(self, service: str) -> int:
        if service not in self._services:
            return int(_Response.SERVICE_UNKNOWN)
        return int(_Response.SERVING if self._lifecycle.ready else _Response.NOT_SERVING)
