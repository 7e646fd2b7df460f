"""What happens to every call, whatever its method: an id, a count, who answered, a status.

The gRPC twin of the HTTP port's gate. Knows no tensor and no model.
"""

import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import structlog

from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport.grpc import statuses
from slipway_runtime.transport.grpc.arrivals import Arrivals
from slipway_runtime.transport.oip import errors
from slipway_runtime.transport.oip.errors import Kind, OipError

Context: TypeAlias = grpc.aio.ServicerContext
Metadata = tuple[tuple[str, str], ...]

_REQUEST_ID = re.compile(r"[!-~]{1,128}")

_log = structlog.get_logger("slipway.grpc")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers, as every answer's trailing metadata says. `version`: where the answer names none."""

    pod: str
    version: Callable[[], str]


class Calls:
    """Makes gRPC's handlers from x"""

    def __init__(self, metrics: Metrics, identity: Identity, arrivals: Arrivals) -> None:
        self._metrics = metrics
        self._identity = identity
        self._arrivals = arrivals

    def unary(self, method: str, answer: Callable[[Any, Context], Awaitable[Any]]) -> Callable[..., Any]:
        """A handler of one request and one answer, to be registered as one of a stream of requests.

        With any other gRPC would have asked for the message before it asks the handler.
        """

        async def handler(_requests: Any, context: Context) -> Any:
            with self._call(method, context) as call:
                try:
                    response = await answer(await self._message(context), context)
                except Exception as error:
                    refusal = call.refusal(error)
                else:
                    call.answered(response)
                    return response
                return await call.refuse(refusal)

        return handler

    def stream(self, method: str, answer: Callable[[Any, Context], AsyncIterator[Any]]) -> Callable[..., Any]:
        """A handler of a stream of requests and a stream of answers."""

        async def handler(_requests: Any, context: Context) -> AsyncIterator[Any]:
            with self._call(method, context) as call:
                try:
                    async for response in answer(self._arrivals.messages(context), context):
                        yield response
                except Exception as error:
                    refusal = call.refusal(error)
                else:
                    call.code = grpc.StatusCode.OK
                    return
                await call.refuse(refusal)

        return handler

    async def _message(self, context: Context) -> bytes:
        message = await self._arrivals.message(context)
        if message is None:
            raise errors.invalid("the call has no message")
        return message

    def _call(self, method: str, context: Context) -> "_Call":
        return _Call(f"grpc/{method}", context, self._metrics, self._identity)


class _Call:
    """One call, counted when it ends, however it ends."""

    def __init__(self, endpoint: str, context: Context, metrics: Metrics, identity: Identity) -> None:
        self._endpoint = endpoint
        self._context = context
        self._metrics = metrics
        self._identity = identity
        self._request_id = _request_id(context)
        self.code = grpc.StatusCode.CANCELLED  # unless something else becomes of it

    def __enter__(self) -> "_Call":
        self._context.set_trailing_metadata(self._metadata(self._identity.version()))
        structlog.contextvars.bind_contextvars(request_id=self._request_id)  # a call has a context of its own
        return self

    def __exit__(self, *_error: object) -> None:
        self._metrics.requests.labels(self._endpoint, self.code.name).inc()

    def answered(self, response: Any) -> None:
        """The answer knows best which version gave it."""
        self.code = grpc.StatusCode.OK
        version = getattr(response, "model_version", "")
        if version:
            self._context.set_trailing_metadata(self._metadata(version))

    def refusal(self, error: Exception) -> OipError:
        """What the client is told of `error`: a new one, without the frames in which the message is.

        What gRPC ends a handler with is kept by the call and keeps what it was raised from; they refer to
        each other, so that a refused message would stay until the next collection of such circles.
        """
        if not isinstance(error, OipError):
            return self._unforeseen()
        return OipError(error.kind, error.message, retry_after=error.retry_after)

    async def refuse(self, refusal: OipError) -> None:
        """Ends the call with a status. Raises what gRPC ends a handler with. Not within an `except`."""
        self.code = statuses.code(refusal.kind)
        metadata = (*self._metadata(self._identity.version()), *_pushback(refusal))
        await self._context.abort(self.code, refusal.message, metadata)

    def _metadata(self, version: str) -> Metadata:
        """Trailing, since it costs no write of its own, and an error has no other place for it."""
        return (
            ("x-slipway-pod", self._identity.pod),
            ("x-slipway-version", version),
            ("x-request-id", self._request_id),
        )

    def _unforeseen(self) -> OipError:
        _log.exception("unhandled_error", endpoint=self._endpoint)
        return OipError(Kind.INTERNAL, "an error that nobody foresaw; the pod's log has it")


def _pushback(refusal: OipError) -> Metadata:
    """gRPC's own retries wait for this long, in milliseconds."""
    if refusal.retry_after is None:
        return ()
    return (("grpc-retry-pushback-ms", str(round(refusal.retry_after * 1000))),)


def _request_id(context: Context) -> str:
    """The client's own, if it is fit to be repeated in metadata and a log, else a new one."""
    for name, value in context.invocation_metadata() or ():
        if name == "x-request-id" and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return uuid.uuid4().hex
