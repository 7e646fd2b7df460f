"""What an exchange was worth: served, or failed with a reason few enough of kinds to be counted."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from tests.ledger.generator.asking import Request

_RESOLVER_ERRORS = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, whole body, and the headers that say who answered."""

    status: int
    body: bytes
    pod: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is empty for an answer that is right in every point."""

    reason: str
    version: str

    @property
    def served(self) -> bool:
        """Whether the client got what it asked for."""
        return not self.reason


class MismatchError(Exception):
    """An answer with status 200 that does not fit its request."""


def judge(request: Request, answer: Answer) -> Verdict:
    """Accept only status 200 with a prediction for each text, in order, all of one version."""
    if answer.status != 200:
        return Verdict(f"status {answer.status} {_problem_code(answer.body)}".rstrip(), answer.version)
    try:
        return Verdict("", _version(request, answer.body))
    except MismatchError as mismatch:
        return Verdict(f"mismatch: {mismatch}", answer.version)


def explain(error: Exception) -> str:
    """Name the failure of an exchange: the exception's class and the error number behind it."""
    name = type(error).__name__
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return f"timeout {name}"
    return f"{name} {_number(error)}".rstrip()


def _version(request: Request, body: bytes) -> str:
    predictions = _predictions(body)
    if len(predictions) != len(request.texts):
        raise MismatchError("number of predictions")
    for text, prediction in zip(request.texts, predictions, strict=True):
        _check(text, prediction)
    versions = {prediction["model_version"] for prediction in predictions}
    if len(versions) != 1:
        raise MismatchError("several versions in one answer")
    return str(versions.pop())


def _predictions(body: bytes) -> list[dict[str, object]]:
    try:
        document = json.loads(body)
    except ValueError:
        raise MismatchError("not JSON") from None
    predictions = document.get("predictions") if isinstance(document, dict) else None
    if not isinstance(predictions, list) or not all(isinstance(item, dict) for item in predictions):
        raise MismatchError("no predictions")
    return predictions


def _check(text: str, prediction: dict[str, object]) -> None:
    if prediction.get("text") != text:
        raise MismatchError("text of another request")
    if not isinstance(prediction.get("label"), str):
        raise MismatchError("label is no string")
    score = prediction.get("score")
    # Written so that NaN fails too.
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
        raise MismatchError("score is no number from 0 to 1")
    if not isinstance(prediction.get("model_version"), str):
        raise MismatchError("model_version is no string")


def _problem_code(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    return str(document.get("code", "")) if isinstance(document, dict) else ""


def _number(error: Exception) -> str:
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return _RESOLVER_ERRORS.get(cause.errno or 0, "")
        if isinstance(cause, OSError) and cause.errno is not None:
            return errno.errorcode.get(cause.errno, "")
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Walk to the root: httpx wraps the socket's error twice."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
