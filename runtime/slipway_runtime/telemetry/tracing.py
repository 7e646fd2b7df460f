"""OpenTelemetry spans of requests, sent where the OTEL_* variables say. Off unless one of them asks.

The packages are an extra (`slipway[otel]`) and are not even imported while it is off. Knows no layer
of the runtime.
"""

import contextlib
import time
import traceback
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from slipway_runtime.telemetry import redaction

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

Attributes = Mapping[str, str | int | float]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_log = structlog.get_logger("slipway.tracing")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for spans, in the words of the OpenTelemetry specification."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "")
    return exporter == "otlp" or (exporter == "" and any(environment.get(name) for name in _ENDPOINTS))


def start(environment: Mapping[str, str]) -> "Tracing | None":
    """None when nobody asks, or when the packages are not there, which the log then says."""
    if not wanted(environment):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        _log.error("tracing_unavailable", detail=f"install slipway[otel]: {error}")
        return None
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before this name.
    service = {} if environment.get("OTEL_SERVICE_NAME") else {"service.name": "slipway-runtime"}
    provider = TracerProvider(resource=Resource.create(service), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _log.info("tracing")
    return Tracing(provider)


class Tracing:
    """One object a process. Spans are handed to a thread of the SDK, which sends them in batches."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("slipway_runtime")

    @contextlib.contextmanager
    def request(self, name: str, headers: Mapping[str, str]) -> Iterator["Span"]:
        """The span of one request, within the trace that its `traceparent` header names, if it has one."""
        from opentelemetry import propagate, trace

        context = propagate.extract(headers)
        with self._span(name, context=context, kind=trace.SpanKind.SERVER) as span:
            trace_id = trace.format_trace_id(span.get_span_context().trace_id)
            structlog.contextvars.bind_contextvars(trace_id=trace_id)
            yield span

    @contextlib.contextmanager
    def inference(self, attributes: Attributes) -> Iterator["Inference"]:
        """The span of one inference, within that of its request."""
        with self._span("inference", attributes=attributes) as span:
            yield Inference(self, span)

    def past(self, name: str, *, began: float, ended: float) -> None:
        """A span of something that is over, within the current one. Times are in seconds since 1970."""
        span = self._tracer.start_span(name, start_time=_nanoseconds(began))
        span.end(_nanoseconds(ended))

    @contextlib.contextmanager
    def _span(self, name: str, **options: Any) -> Iterator["Span"]:
        """What is raised in it is told as the SDK does, but in texts without credentials."""
        started = self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False, **options
        )
        with started as span, _telling(span):
            yield span

    def close(self) -> None:
        """Send what is left. Blocks for seconds when nobody takes it."""
        self._provider.shutdown()


class Inference:
    """An inference under way."""

    def __init__(self, tracing: Tracing, span: "Span") -> None:
        self._tracing = tracing
        self._span = span

    def spent(self, *, queue_seconds: float, run_seconds: float) -> None:
        """It has its answer, and first waited and then ran for so long."""
        self._span.set_attribute("slipway.queue_seconds", queue_seconds)
        self._span.set_attribute("slipway.run_seconds", run_seconds)
        now = time.time()
        began = now - run_seconds
        self._tracing.past("queue", began=began - queue_seconds, ended=began)
        self._tracing.past("run", began=began, ended=now)


@contextlib.contextmanager
def _telling(span: "Span") -> Iterator[None]:
    """An exception as an event of the span, and as its status."""
    try:
        yield
    except Exception as error:
        from opentelemetry.trace import Status, StatusCode

        message = redaction.text(str(error))
        stack = redaction.text("".join(traceback.format_exception(error)))
        span.record_exception(error, {"exception.message": message, "exception.stacktrace": stack})
        span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {message}"))
        raise


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
