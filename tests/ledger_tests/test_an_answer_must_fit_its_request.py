"""The judge: only a complete answer to this very request is served."""

from __future__ import annotations

import errno
import json
import random
import socket
from http.client import RemoteDisconnected

import httpx
import pytest

from tests.ledger.generator import asking, judging
from tests.ledger.generator.judging import Answer

REQUEST = asking.Request("g/fast-0/1", ("one (g/fast-0/1/0)", "two (g/fast-0/1/1)"), b"")


def prediction(text: str, **changed: object) -> dict[str, object]:
    return {"text": text, "label": "positive", "score": 0.5, "model_version": "2", **changed}


def body(*predictions: object) -> bytes:
    return json.dumps({"predictions": list(predictions)}).encode()


ONE, TWO = (prediction(text) for text in REQUEST.texts)


def test_the_body_holds_the_texts_and_each_names_the_request() -> None:
    request = asking.ask("g/fast-0/17", random.Random(3))  # noqa: S311
    assert json.loads(request.body) == {"texts": list(request.texts)}
    assert all(f"(g/fast-0/17/{index})" in text for index, text in enumerate(request.texts))


def test_a_complete_answer_is_served_by_the_version_that_it_names() -> None:
    verdict = judging.judge(REQUEST, Answer(200, body(ONE, TWO)))
    assert (verdict.served, verdict.version) == (True, "2")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b"<html>", "mismatch: not JSON", id="not JSON"),
        pytest.param(b"[]", "mismatch: no predictions", id="no object"),
        pytest.param(b'{"predictions": [1, 2]}', "mismatch: no predictions", id="numbers for predictions"),
        pytest.param(body(ONE), "mismatch: number of predictions", id="one prediction missing"),
        pytest.param(body(TWO, ONE), "mismatch: text of another request", id="in another order"),
        pytest.param(
            body(ONE, TWO | {"label": 1}), "mismatch: label is no string", id="a number for a label"
        ),
        *(
            pytest.param(
                body(ONE, TWO | {"score": score}),
                "mismatch: score is no number from 0 to 1",
                id=f"score {score}",
            )
            for score in (1.01, -0.01, float("nan"), True, "0.5", None)
        ),
        pytest.param(
            body(ONE, TWO | {"model_version": "1"}),
            "mismatch: several versions in one answer",
            id="two versions",
        ),
        pytest.param(
            body(ONE, TWO | {"model_version": None}),
            "mismatch: model_version is no string",
            id="version missing",
        ),
    ],
)
def test_an_answer_that_does_not_fit_has_failed(answer: bytes, reason: str) -> None:
    verdict = judging.judge(REQUEST, Answer(200, answer, version="2"))
    assert (verdict.reason, verdict.version) == (reason, "2")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(503, b'{"code": "shutting_down"}'), "status 503 shutting_down"),
        (Answer(502, b"bad gateway"), "status 502"),
        (Answer(404, b"[]"), "status 404"),
    ],
)
def test_a_status_other_than_200_is_told_with_its_problem_code(answer: Answer, reason: str) -> None:
    assert judging.judge(REQUEST, answer).reason == reason


def wrapped(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionResetError(errno.ECONNRESET, "reset"), "ConnectionResetError ECONNRESET"),
        (RemoteDisconnected("closed"), "RemoteDisconnected"),
        (TimeoutError("timed out"), "timeout TimeoutError"),
        (httpx.ReadTimeout("late"), "timeout ReadTimeout"),
        (
            wrapped(httpx.ConnectError("no"), ConnectionRefusedError(errno.ECONNREFUSED, "")),
            "ConnectError ECONNREFUSED",
        ),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "gaierror EAI_AGAIN"),
    ],
)
def test_a_failure_is_named_by_its_class_and_error_number(error: Exception, reason: str) -> None:
    assert judging.explain(error) == reason
