"""The one path from a request of the Open Inference Protocol to its answer, whatever wire it came by.

Finds the version, checks the request against it, queues it, and says in the protocol's words what
went wrong. Knows no wire.
"""

import contextlib
import time
from collections.abc import Iterator

import structlog

from slipway_runtime.engine.model import Signature
from slipway_runtime.scheduling.calls import (
    Call,
    ClosedError,
    DeadlineExceededError,
    QueueFullError,
    RowFailedError,
)
from slipway_runtime.scheduling.catalog import Catalog, NotReadyError, UnknownModelError, UnknownVersionError
from slipway_runtime.scheduling.predictor import InvalidInputError, Predictor, TensorAnswer
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport.oip import checks, errors
from slipway_runtime.transport.oip.checks import RowLimits
from slipway_runtime.transport.oip.errors import Kind, OipError
from slipway_runtime.transport.oip.values import InferRequest, InferResponse, Tensor

_NOT_READY_RETRY_SECONDS = 5

_log = structlog.get_logger("slipway.inference")


class Inference:
    """Answers requests from what the catalog serves at the moment."""

    def __init__(self, catalog: Catalog, limits: RowLimits, metrics: Metrics) -> None:
        self._catalog = catalog
        self._limits = limits
        self._metrics = metrics

    async def answer(self, request: InferRequest, call: Call) -> InferResponse:
        """Cancel it and its rows leave the queue. Raises OipError, and nothing else that is foreseen."""
        with self.lease(request.model, request.version) as predictor:
            model = predictor.model
            inputs = checks.check(request, model.signature, limits=self._limits, is_text=model.is_text)
            began = time.perf_counter()
            try:
                with self._explaining():
                    answer = await predictor.infer(inputs, call)
            finally:
                self._metrics.inference_seconds.observe(time.perf_counter() - began)
            return _response(request, predictor, answer)

    @contextlib.contextmanager
    def lease(self, model: str, version: str) -> Iterator[Predictor]:
        """The version for as long as the block lasts; "" is the latest. Raises OipError."""
        if not model:
            raise errors.invalid("the name of the model is missing")
        try:
            lease = self._catalog.lease(model, version)
        except NotReadyError as error:
            raise OipError(Kind.UNAVAILABLE, str(error), retry_after=_NOT_READY_RETRY_SECONDS) from error
        except UnknownModelError as error:  # in the words that Triton's clients look for
            raise OipError(Kind.NOT_FOUND, f"Request for unknown model: {error}") from error
        except UnknownVersionError as error:
            raise OipError(Kind.NOT_FOUND, str(error)) from error
        with lease as predictor:
            yield predictor

    def signature(self, model: str, version: str) -> Signature:
        """What that version takes and gives. Raises OipError."""
        with self.lease(model, version) as predictor:
            return predictor.model.signature

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except QueueFullError as error:
            self._metrics.rejected.labels("queue_full").inc()
            raise _overloaded(error) from error
        except DeadlineExceededError as error:
            self._metrics.rejected.labels("deadline").inc()
            raise OipError(Kind.LATE, "there was no answer within the request's time") from error
        except ClosedError as error:
            raise OipError(Kind.UNAVAILABLE, str(error), retry_after=_NOT_READY_RETRY_SECONDS) from error
        except InvalidInputError as error:
            raise errors.invalid(str(error)) from error
        except RowFailedError as error:
            _log.warning("row_failed", error=str(error))
            raise OipError(Kind.INTERNAL, f"the model failed on {error}") from error


def _overloaded(error: QueueFullError) -> OipError:
    message = f"too many rows are waiting already: try again in {error.retry_after} s"
    return OipError(Kind.OVERLOADED, message, retry_after=error.retry_after)


def _response(request: InferRequest, predictor: Predictor, answer: TensorAnswer) -> InferResponse:
    specs = {spec.name: spec for spec in predictor.model.signature.outputs}
    names = [output.name for output in request.outputs] or list(specs)
    return InferResponse(
        model=predictor.name,
        version=predictor.version,
        outputs=tuple(Tensor(name, specs[name].datatype, answer.outputs[name]) for name in names),
        id=request.id,
    )
