"""The routes that classify texts, the ones that everything else is there for.

Bytes to bytes, without the request and response objects that would cost more than a small model does:
as a plain ASGI endpoint, and for short requests as what the express calls. What the bytes look like is
the contract's; knows neither queue nor session.
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
from slipway_runtime.transport.formalities import VERSION_HEADER
from slipway_runtime.transport.heads import Headers
from slipway_runtime.transport.limits import MAX_JSON_BYTES, MAX_TEXT_BYTES, RequestLimits
from slipway_runtime.transport.presence import ClientGoneError, Presence
from slipway_runtime.transport.replies import Reply

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
        received = time.monotonic()
        headers = dict(scope["headers"])
        account = self._bodies.account()
        try:
            raw = await _body(headers, receive, account)
            with Presence(scope):
                reply = await self.answer(headers, raw, received=received)
            await replies.send(send, reply)
        except problems.ProblemError as problem:
            await replies.send(send, self._refusal(problem))
        except ClientGoneError:
            return  # the gate counts what has not been answered
        finally:
            account.close()

    async def answer(self, headers: Headers, raw: bytes | bytearray, *, received: float) -> Reply:
        """Of a whole request, which came at `received` (monotonic). Cancel it when its client leaves."""
        try:
            wanted = self._check(self._contract.read(raw))
            call = _call(headers, received, self._limits.timeout)
            with self._lease(wanted) as predictor:
                return await self._classify(wanted, predictor, call=call, received=received)
        except problems.ProblemError as problem:
            return self._refusal(problem)

    async def _classify(self, wanted: Wanted, predictor: Predictor, *, call: Call, received: float) -> Reply:
        if not predictor.model.is_text:
            raise problems.no_text_model(predictor.name)
        answer = await self._predict(predictor, wanted.texts, call=call, received=received)
        self._log_failures(answer)
        content = self._contract.write(wanted, Given(predictor, answer, time.monotonic() - received))
        version = (VERSION_HEADER, predictor.version.encode())
        return Reply(200, (replies.JSON, version, *self._contract.headers), content)

    def _refusal(self, problem: problems.ProblemError) -> Reply:
        return problems.reply(problem, self._contract.headers)

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


async def _body(headers: Headers, receive: Receive, account: Account) -> bytes | bytearray:
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding != b"identity":
        raise problems.unsupported_encoding(encoding[:40].decode("ascii", "replace"))
    try:
        return await body.read(headers, receive, limit=MAX_JSON_BYTES, account=account)
    except body.TooLargeError as error:
        raise problems.body_too_large(error.limit) from error
    except NoRoomError as error:
        raise problems.no_room() from error


def _call(headers: Headers, received: float, timeout: float) -> Call:
    try:
        return terms.of(headers, received=received, timeout=timeout)
    except terms.InvalidTermsError as error:
        raise problems.invalid(str(error)) from error
