"""A span for every request of the models' port. Wraps the application, and only while tracing is on."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slipway_runtime.telemetry.tracing import Tracing
from slipway_runtime.transport import formalities, gate

# Asked for every few seconds by machines, and never of interest.
_QUIET = frozenset({"/health", "/metrics"})
_SHOWN = {
    formalities.REQUEST_ID_HEADER: "slipway.request_id",
    formalities.VERSION_HEADER: "slipway.version",
}


class Traced:
    """An ASGI application within another one's spans."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracing.request(scope["method"], headers) as span:

            async def note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    for name, value in message.get("headers", []):
                        if name in _SHOWN:
                            span.set_attribute(_SHOWN[name], value.decode("latin-1"))
                await send(message)

            span.set_attribute("http.request.method", scope["method"])
            try:
                await self._app(scope, receive, note)
            finally:  # by now it is known which of few names it has
                endpoint = gate.endpoint(scope)
                span.set_attribute("http.route", endpoint)
                span.update_name(f"{scope['method']} {endpoint}")
