"""The two versions of the contract: how a request is read, and how an answer is written. Pure."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

import pydantic_core

from slipway_runtime.engine.model import Classification
from slipway_runtime.scheduling.predictor import Predictor, RowFailedError, TextAnswer
from slipway_runtime.transport import deprecation, documents, problems, schemas
from slipway_runtime.transport.documents import Document
from slipway_runtime.transport.replies import Header

_FAILED = "the model failed on this text"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for, whatever its version: `body` is the parsed request itself."""

    texts: list[str]
    model: str | None
    version: str | None
    top_k: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """An answer to be written: who gave it, and how long all of it took so far, in seconds."""

    predictor: Predictor
    answer: TextAnswer
    seconds: float


class Contract(Protocol):
    """One version. Both methods raise ProblemError."""

    headers: tuple[Header, ...]
    """What each of its answers says besides, errors too."""

    def read(self, raw: bytes | bytearray) -> Wanted: ...

    def write(self, wanted: Wanted, given: Given) -> bytes: ...


class V1:
    """The best label of each text. A text that fails fails its request: there is no place to say it."""

    headers = deprecation.headers()

    def read(self, raw: bytes | bytearray) -> Wanted:
        request = _read(_REQUEST_V1, raw)
        return Wanted(request.texts, None, request.model_version)

    def write(self, wanted: Wanted, given: Given) -> bytes:
        version = given.predictor.version
        predictions = []
        for text, result in zip(wanted.texts, given.answer.results, strict=True):
            if isinstance(result, RowFailedError):
                raise _all_failed()
            predictions.append(
                {"text": text, "label": result.label, "score": result.score, "model_version": version}
            )
        took = round(given.seconds * 1000, 3)
        return pydantic_core.to_json({"predictions": predictions, "processing_time_ms": took})


class V2:
    """All scores, an error for each text that failed, who answered, and where the time went."""

    headers: tuple[Header, ...] = ()

    def read(self, raw: bytes | bytearray) -> Wanted:
        request = _read(_REQUEST_V2, raw)
        return Wanted(request.texts, request.model, request.model_version, request.top_k)

    def write(self, wanted: Wanted, given: Given) -> bytes:
        results = given.answer.results
        if all(isinstance(result, RowFailedError) for result in results):
            raise _all_failed()
        predictor, spent = given.predictor, given.answer.spent
        labels = predictor.model.labels
        return pydantic_core.to_json(
            {
                "model": {
                    "name": predictor.name,
                    "version": predictor.version,
                    "digest": predictor.digest,
                },
                "results": [_result(result, labels, wanted.top_k) for result in results],
                "timing": {
                    "queue_ms": round(spent.queue_seconds * 1000, 3),
                    "inference_ms": round(spent.run_seconds * 1000, 3),
                    "total_ms": round(given.seconds * 1000, 3),
                },
            }
        )


_REQUEST_V1 = Document(schemas.PredictRequest)
_REQUEST_V2 = Document(schemas.PredictRequestV2)

_BodyT = TypeVar("_BodyT")


def _read(document: Document[_BodyT], raw: bytes | bytearray) -> _BodyT:
    try:
        return document.read(raw)
    except documents.NotJsonError as error:
        raise problems.malformed(str(error)) from error
    except documents.InvalidError as error:
        raise problems.invalid(str(error)) from error


def _result(
    result: Classification | RowFailedError, labels: tuple[str, ...], top_k: int | None
) -> dict[str, object]:
    if isinstance(result, RowFailedError):
        return {"error": {"code": "InferenceFailed", "detail": _FAILED}}
    best = sorted(zip(labels, result.scores, strict=True), key=lambda pair: -pair[1])[:top_k]
    return {
        "label": result.label,
        "score": result.score,
        "labels": result.labels,
        "scores": [{"label": label, "score": score} for label, score in best],
    }


def _all_failed() -> problems.ProblemError:
    return problems.inference_failed(
        "the model failed on one of these texts; the others' requests were not affected"
    )
