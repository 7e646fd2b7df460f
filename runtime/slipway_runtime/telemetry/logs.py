"""JSON logs on standard output, one object a line, also for the libraries that use `logging`.

Control characters are escaped by JSON itself, so no text from outside can forge a line. Whatever is
written, by whomever, has no credential in it.
"""

import contextvars
import logging
import sys
from typing import Any

import structlog

from slipway_runtime.telemetry import redaction

request_id: contextvars.ContextVar[bytes] = contextvars.ContextVar("request_id")
"""Of the HTTP request that is being answered. Read when a line is written, which few requests do."""


def configure(level: str) -> None:
    """Set up structlog and the standard library's logging once, for the whole process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                _redact,  # the last before it is written: tracebacks are texts by now
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("botocore", "boto3", "urllib3", "s3transfer", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # what it says at INFO, we say ourselves


def _redact(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {name: _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redaction.text(value)
        case dict():
            return {str(name): _redacted(one) for name, one in value.items()}
        case list() | tuple():
            return [_redacted(one) for one in value]
    return redaction.text(repr(value))  # as JSON would show it


def _add_request_id(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    found = request_id.get(None)
    if found is not None:
        event.setdefault("request_id", found.decode("ascii"))
    return event
