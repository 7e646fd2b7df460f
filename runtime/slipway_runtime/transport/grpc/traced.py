"""A span for every inference's call. Wraps what answers it, and only while tracing is on."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from slipway_runtime.telemetry.tracing import Tracing
from slipway_runtime.transport.grpc.calls import Context

Answer = Callable[[Any, Context], Awaitable[Any]]


def within_spans(answer: Answer, tracing: Tracing, *, name: str) -> Answer:
    """`answer` within a span of its caller's trace, which ends in an error when it raises."""

    async def answer_within_span(message: Any, context: Context) -> Any:
        given = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        with tracing.request(name, given) as span:
            span.set_attribute("rpc.system", "grpc")
            span.set_attribute("slipway.request_id", structlog.contextvars.get_contextvars()["request_id"])
            response = await answer(message, context)
            span.set_attribute("slipway.version", response.model_version)
            return response

    return answer_within_span
