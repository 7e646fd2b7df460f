"""What happens to every request, whatever its route: an id, a count, headers, a farewell.

Pure ASGI, and outside of FastAPI, so that it also sees what FastAPI answers by itself. A
BaseHTTPMiddleware here would hide the client's leaving from the routes.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport.connection import SCOPE_KEY

VERSION_HEADER = b"x-slipway-version"
ROUTES = frozenset({"/v1/predict", "/predict", "/health", "/metrics", "/openapi.json", "/docs"})

Header = tuple[bytes, bytes]

_REQUEST_ID = re.compile(rb"[!-~]{1,128}")
_CLIENT_GONE = 499  # counted, never sent

_log = structlog.get_logger("slipway.http")


class Gate:
    """Wraps the application of the models' port."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, pod: str, version: Callable[[], str]) -> None:
        """`version` names the version of answers that do not say it themselves."""
        self._app = app
        self._metrics = metrics
        self._pod = (b"x-slipway-pod", pod.encode())
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        answer = _Answer(send, scope, [self._pod, (b"x-request-id", request_id)], self._version)
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

    def __init__(self, send: Send, scope: Scope, headers: list[Header], version: Callable[[], str]) -> None:
        self._send = send
        self._connection = scope.get(SCOPE_KEY)
        self._headers = headers
        self._version = version
        self.status = _CLIENT_GONE

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            said = message.get("headers", [])
            message["headers"] = [*said, *self._headers, *self._default_version(said), *self._farewell()]
        await self._send(message)

    def _default_version(self, said: Iterable[Header]) -> list[Header]:
        if any(name == VERSION_HEADER for name, _ in said):
            return []
        version = self._version()
        return [(VERSION_HEADER, version.encode())] if version else []

    def _farewell(self) -> list[Header]:
        if self._connection is not None and self._connection.must_close(time.monotonic()):
            return [(b"connection", b"close")]
        return []


def _request_id(scope: Scope) -> bytes:
    """The client's own, if it is fit to be repeated in a header and a log, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return uuid.uuid4().hex.encode()
