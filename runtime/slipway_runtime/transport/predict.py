"""The routes that classify texts, the ones that everything else is there for.

A plain ASGI endpoint: bytes to bytes, without the request and response objects that would cost more
than a small model does. What the bytes look like is the contract's; knows neither queue nor session.
"""

import time

import structlog
from starlette.types import Receive, Scope, Send

from slipway_runtime.scheduling.catalog import (
    Catalog,
    Lease,
    NotReadyError,
    UnknownModelError,
    UnknownVersionError,
)
from slipway_runtime.scheduling.predictor import (
    Call,
    ClosedError,
    DeadlineExceededError,
    Predictor,
    QueueFullError,
    RowFailedError,
    TextAnswer,
)
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import body, problems, replies, terms
from slipway_runtime.transport.bodies import Account, Bodies, NoRoomError
from slipway_runtime.transport.contracts import Contract, Given, Wanted
from slipway_runtime.transport.gate import VERSION_HEADER
from slipway_runtime.transport.limits import MAX_JSON_BYTES, MAX_TEXT_BYTES, RequestLimits
from slipway_runtime.transport.presence import ClientGoneError, Presence
from slipway_runtime.transport.replies import Header

_log = structlog.get_logger("slipway.predict")


class PredictEndpoint:
    """The ASGI application of one version's route."""

    def __init__(
        self,
        contract: Contract,
        *,
        catalog: Catalog,
        limits: RequestLimits,
        bodies: Bodies,
        metrics: Metrics,
    ) -> None:
        self._contract = contract
        self._catalog = catalog
        self._limits = limits
        self._bodies = bodies
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        account = self._bodies.account()
        try:
            answer, version = await self._answer(scope, receive, account)
        except problems.ProblemError as problem:
            await problems.send(problem, send, self._contract.headers)
        except ClientGoneError:
            return  # the gate counts what has not been answered
        else:
            headers: list[Header] = [replies.JSON, version, *self._contract.headers]
            await replies.send(send, headers=headers, body=answer)
        finally:
            account.close()

    async def _answer(self, scope: Scope, receive: Receive, account: Account) -> tuple[bytes, Header]:
        """The body of the answer and the version that gave it. Raises ProblemError or ClientGoneError."""
        received = time.monotonic()
        headers = dict(scope["headers"])
        wanted = self._check(self._contract.read(await _body(headers, receive, account)))
        call = _call(headers, received, self._limits.timeout)
        with self._lease(wanted) as predictor:
            if not predictor.model.is_text:
                raise problems.no_text_model(predictor.name)
            with Presence(scope):
                answer = await self._predict(predictor, wanted.texts, call=call, received=received)
            self._log_failures(answer)
            given = Given(predictor, answer, time.monotonic() - received)
            return self._contract.write(wanted, given), (VERSION_HEADER, predictor.version.encode())

    def _check(self, wanted: Wanted) -> Wanted:
        count, most = len(wanted.texts), self._limits.max_texts
        if not 1 <= count <= most:
            raise problems.invalid(f"texts: a request has 1 to {most} texts, this one has {count}")
        for index, text in enumerate(wanted.texts):
            if len(text) * 4 > MAX_TEXT_BYTES and len(text.encode()) > MAX_TEXT_BYTES:
                raise problems.invalid(f"texts.{index}: a text has at most {MAX_TEXT_BYTES} bytes of UTF-8")
        return wanted

    def _lease(self, wanted: Wanted) -> Lease:
        try:
            return self._catalog.lease(wanted.model, wanted.version)
        except NotReadyError as error:
            raise problems.not_ready(str(error)) from error
        except UnknownModelError as error:
            raise problems.unknown_model(str(error)) from error
        except UnknownVersionError as error:
            raise problems.unknown_version(str(error)) from error

    async def _predict(
        self, predictor: Predictor, texts: list[str], *, call: Call, received: float
    ) -> TextAnswer:
        began = time.perf_counter()
        try:
            return await predictor.predict(texts, call)
        except QueueFullError as error:
            self._metrics.rejected.labels("queue_full").inc()
            raise problems.queue_full(error.retry_after) from error
        except DeadlineExceededError as error:
            self._metrics.rejected.labels("deadline").inc()
            raise problems.too_late((call.deadline or received) - received) from error
        except ClosedError as error:
            raise problems.not_ready(str(error)) from error
        finally:
            self._metrics.inference_seconds.observe(time.perf_counter() - began)

    def _log_failures(self, answer: TextAnswer) -> None:
        for result in answer.results:
            if isinstance(result, RowFailedError):
                _log.warning("row_failed", error=str(result))


async def _body(headers: body.Headers, receive: Receive, account: Account) -> bytes | bytearray:
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding != b"identity":
        raise problems.unsupported_encoding(encoding[:40].decode("ascii", "replace"))
    try:
        return await body.read(headers, receive, limit=MAX_JSON_BYTES, account=account)
    except body.TooLargeError as error:
        raise problems.body_too_large(error.limit) from error
    except NoRoomError as error:
        raise problems.no_room() from error


def _call(headers: body.Headers, received: float, timeout: float) -> Call:
    try:
        return terms.of(headers, received=received, timeout=timeout)
    except terms.InvalidTermsError as error:
        raise problems.invalid(str(error)) from error
