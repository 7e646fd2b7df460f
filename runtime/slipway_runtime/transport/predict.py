"""POST /v1/predict, the route that everything else is there for.

A plain ASGI endpoint: bytes to bytes through pydantic's own JSON, without the request and response
objects that would cost more than a small model does. Knows neither queue nor session.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pydantic
import structlog
from starlette.types import Receive, Scope, Send

from slipway_runtime.engine.model import Classification
from slipway_runtime.scheduling.catalog import Catalog, Lease, NotReadyError, UnknownVersionError
from slipway_runtime.scheduling.predictor import Predictor, QueueFullError, RowFailedError
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import body, problems
from slipway_runtime.transport.gate import VERSION_HEADER
from slipway_runtime.transport.schemas import (
    MAX_BODY_BYTES,
    MAX_TEXT_BYTES,
    Prediction,
    PredictRequest,
    PredictResponse,
)

_REQUEST = pydantic.TypeAdapter(PredictRequest)
_RESPONSE = pydantic.TypeAdapter(PredictResponse)

_log = structlog.get_logger("slipway.predict")


@dataclass(frozen=True, slots=True)
class PredictLimits:
    """Texts a request, and seconds until it is given up."""

    max_texts: int
    timeout: float


class PredictEndpoint:
    """The ASGI application of the route."""

    def __init__(self, catalog: Catalog, limits: PredictLimits, metrics: Metrics) -> None:
        self._catalog = catalog
        self._limits = limits
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except problems.ProblemError as problem:
            await problems.send(problem, send)
        except body.ClientGoneError:
            return  # the gate counts what has not been answered
        else:
            await _send(send, *answer)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[bytes, str]:
        """The body of the answer and the version that gave it. Raises ProblemError or ClientGoneError."""
        began = time.perf_counter()
        request = self._parse(await body.read(scope, receive, limit=MAX_BODY_BYTES))
        with self._lease(request.model_version) as predictor:
            found = await self._predict(predictor, request.texts, receive)
            version = predictor.version
        predictions = [
            Prediction.model_construct(text=text, label=one.label, score=one.score, model_version=version)
            for text, one in zip(request.texts, found, strict=True)
        ]
        took = round((time.perf_counter() - began) * 1000, 3)
        answer = PredictResponse.model_construct(predictions=predictions, processing_time_ms=took)
        return _RESPONSE.dump_json(answer), version

    def _parse(self, raw: bytes) -> PredictRequest:
        try:
            request = _REQUEST.validate_json(raw)
        except pydantic.ValidationError as error:
            raise _explain(error) from error
        if not 1 <= len(request.texts) <= self._limits.max_texts:
            raise problems.invalid(
                f"texts: a request has 1 to {self._limits.max_texts} texts, this one has {len(request.texts)}"
            )
        for index, text in enumerate(request.texts):
            if len(text) > MAX_TEXT_BYTES or len(text.encode()) > MAX_TEXT_BYTES:
                raise problems.invalid(f"texts.{index}: a text has at most {MAX_TEXT_BYTES} bytes of UTF-8")
        return request

    def _lease(self, version: str | None) -> Lease:
        try:
            return self._catalog.lease(version=version)
        except NotReadyError as error:
            raise problems.not_ready(str(error)) from error
        except UnknownVersionError as error:
            raise problems.unknown_version(str(error)) from error

    async def _predict(
        self, predictor: Predictor, texts: Sequence[str], receive: Receive
    ) -> list[Classification]:
        try:
            with self._metrics.inference_seconds.time():
                async with asyncio.timeout(self._limits.timeout):
                    return await _unless_gone(predictor, texts, receive)
        except QueueFullError as error:
            self._metrics.rejected.labels("queue_full").inc()
            raise problems.queue_full(error.retry_after) from error
        except TimeoutError as error:
            self._metrics.rejected.labels("deadline").inc()
            raise problems.too_late(self._limits.timeout) from error
        except body.ClientGoneError:
            raise
        except Exception as error:
            _log.exception("inference_failed")
            raise problems.inference_failed(
                "the model failed on one of these texts; the others' requests were not affected"
            ) from error


async def _unless_gone(predictor: Predictor, texts: Sequence[str], receive: Receive) -> list[Classification]:
    """The answer, unless its client leaves first: then its rows leave the queue too."""
    work = asyncio.ensure_future(_all(predictor, texts))
    gone = asyncio.ensure_future(body.until_gone(receive))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise body.ClientGoneError
        return work.result()
    finally:
        work.cancel()
        gone.cancel()


async def _all(predictor: Predictor, texts: Sequence[str]) -> list[Classification]:
    """Raises RowFailedError when one text failed: this contract has no place for half an answer."""
    found: list[Classification] = []
    for result in (await predictor.predict(texts)).results:
        if isinstance(result, RowFailedError):
            raise result
        found.append(result)
    return found


def _explain(error: pydantic.ValidationError) -> problems.ProblemError:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if problem["type"] == "json_invalid":
        return problems.malformed(f"the body is not JSON: {problem['msg'].removeprefix('Invalid JSON: ')}")
    place = ".".join(map(str, problem["loc"]))
    return problems.invalid(f"{place}: {problem['msg']}" if place else problem["msg"])


async def _send(send: Send, answer: bytes, version: str) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer)).encode()),
        (VERSION_HEADER, version.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
