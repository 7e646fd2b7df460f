"""What happens to every request of the ASGI application, whatever its route: the formalities, a farewell.

Outside of all routes, so that it also sees what nobody answers. A BaseHTTPMiddleware here would hide
the client's leaving from the routes.
"""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slipway_runtime.telemetry import logs
from slipway_runtime.transport import formalities, problems
from slipway_runtime.transport.connection import SCOPE_KEY
from slipway_runtime.transport.formalities import CLIENT_GONE, REQUEST_ID_HEADER, Formalities
from slipway_runtime.transport.replies import Header

ENDPOINT_KEY = "slipway.endpoint"
"""In a scope: the name under which a request is counted, from a closed set, when it is not its path."""

ROUTES = frozenset(
    {"/v1/predict", "/predict", "/v2/predict", "/health", "/metrics", "/openapi.json", "/docs"}
)

_log = structlog.get_logger("slipway.http")


class Gate:
    """Wraps the application of the models' port."""

    def __init__(self, app: ASGIApp, due: Formalities) -> None:
        self._app = app
        self._due = due

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        logs.request_id.set(request_id)  # never unset: each request is a task, and its context ends with it
        answer = _Answer(send, scope, self._due, request_id)
        await self._run(scope, receive, answer)
        self._due.count(endpoint(scope), answer.status)

    async def _run(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            _log.exception("unhandled_error", path=scope["path"])
            if answer.status == CLIENT_GONE:  # FastAPI has answered its own by now
                await problems.send(problems.internal(), answer.send)


class _Answer:
    """The answer to one request, on its way out."""

    __slots__ = ("_connection", "_due", "_request_id", "_send", "status")

    def __init__(self, send: Send, scope: Scope, due: Formalities, request_id: bytes) -> None:
        self._send = send
        self._connection = scope.get(SCOPE_KEY)
        self._due = due
        self._request_id = (REQUEST_ID_HEADER, request_id)
        self.status = CLIENT_GONE

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            said = message.get("headers", [])
            message["headers"] = [*said, *self._due.headers(said), self._request_id, *self._farewell()]
        await self._send(message)

    def _farewell(self) -> list[Header]:
        if self._connection is not None and self._connection.must_close(time.monotonic()):
            return [(b"connection", b"close")]
        return []


def endpoint(scope: Scope) -> str:
    """Under which of few names a request is counted, once it has been answered."""
    path: str = scope["path"]
    return scope.get(ENDPOINT_KEY) or (path if path in ROUTES else "other")


def _request_id(scope: Scope) -> bytes:
    return formalities.request_id(dict(scope["headers"]).get(REQUEST_ID_HEADER))
