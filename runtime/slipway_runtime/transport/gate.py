"""What happens to every request, whatever its route: an id, a count, headers, a farewell.

Pure ASGI, and outside of FastAPI, so that it also sees what FastAPI answers by itself. A
BaseHTTPMiddleware here would hide the client's leaving from the routes.
"""

import re
import time
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport.connection import SCOPE_KEY

ROUTES = frozenset({"/v1/predict", "/predict", "/health", "/metrics", "/openapi.json", "/docs"})

_REQUEST_ID = re.compile(rb"[!-~]{1,128}")
_CLIENT_GONE = 499  # counted, never sent

_log = structlog.get_logger("slipway.http")


class Gate:
    """Wraps the application of the models' port."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, pod: str, version: str) -> None:
        self._app = app
        self._metrics = metrics
        self._identity = [(b"x-slipway-pod", pod.encode()), (b"x-slipway-version", version.encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        answer = _Answer(send, scope, [*self._identity, (b"x-request-id", request_id)])
        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            await self._run(scope, receive, answer)
        endpoint = scope["path"] if scope["path"] in ROUTES else "other"
        self._metrics.requests.labels(endpoint, str(answer.status)).inc()

    async def _run(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._app(scope, receive, answer.send)
        except Exception:  # it has been answered with 500 by now; raising it on would only log it twice
            _log.exception("unhandled_error", path=scope["path"])


class _Answer:
    """The answer to one request, on its way out."""

    def __init__(self, send: Send, scope: Scope, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._connection = scope.get(SCOPE_KEY)
        self._headers = headers
        self.status = _CLIENT_GONE

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", []), *self._headers, *self._farewell()]
        await self._send(message)

    def _farewell(self) -> list[tuple[bytes, bytes]]:
        if self._connection is not None and self._connection.must_close(time.monotonic()):
            return [(b"connection", b"close")]
        return []


def _request_id(scope: Scope) -> bytes:
    """The client's own, if it is fit to be repeated in a header and a log, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return uuid.uuid4().hex.encode()
