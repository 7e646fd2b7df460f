"""What happens to every request, whatever its route: an id, a count, headers, a farewell.

Pure ASGI, and outside of all routes, so that it also sees what nobody answers. A BaseHTTPMiddleware
here would hide the client's leaving from the routes.
"""

import random
import re
import time
from collections.abc import Callable, Iterable

import structlog
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import problems
from slipway_runtime.transport.connection import SCOPE_KEY
from slipway_runtime.transport.replies import Header

VERSION_HEADER = b"x-slipway-version"
ENDPOINT_KEY = "slipway.endpoint"
"""In a scope: the name under which a request is counted, from a closed set, when it is not its path."""

ROUTES = frozenset(
    {"/v1/predict", "/predict", "/v2/predict", "/health", "/metrics", "/openapi.json", "/docs"}
)

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
        self._counters: dict[tuple[str, int], Counter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        answer = _Answer(send, scope, [self._pod, (b"x-request-id", request_id)], self._version)
        # Never unbound: each request is a task, and its context ends with it.
        structlog.contextvars.bind_contextvars(request_id=request_id.decode())
        await self._run(scope, receive, answer)
        self._count(endpoint(scope), answer.status)

    def _count(self, name: str, status: int) -> None:
        counter = self._counters.get((name, status))
        if counter is None:  # both come from closed sets
            counter = self._counters[name, status] = self._metrics.requests.labels(name, str(status))
        counter.inc()

    async def _run(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            _log.exception("unhandled_error", path=scope["path"])
            if answer.status == _CLIENT_GONE:  # FastAPI has answered its own by now
                await problems.send(problems.internal(), answer.send)


class _Answer:
    """The answer to one request, on its way out."""

    __slots__ = ("_connection", "_headers", "_send", "_version", "status")

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


def endpoint(scope: Scope) -> str:
    """Under which of few names a request is counted, once it has been answered."""
    path: str = scope["path"]
    return scope.get(ENDPOINT_KEY) or (path if path in ROUTES else "other")


def _request_id(scope: Scope) -> bytes:
    """The client's own, if it is fit to be repeated in a header and a log, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return b"%032x" % random.getrandbits(128)  # told apart, not kept secret
