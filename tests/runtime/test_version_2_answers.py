"""Version 2 of the contract: all scores, an error a text, who answered, and where the time went."""

import hashlib
import pathlib
from typing import Any

import httpx
import pytest

from tests.runtime import bundles, processes
from tests.runtime.processes import RuntimeProcess


def _ask(process: RuntimeProcess, body: dict[str, Any], **headers: str) -> httpx.Response:
    return httpx.post(f"{process.url}/v2/predict", json=body, headers=headers, timeout=30)


def test_an_answer_has_all_scores_and_who_gave_it(runtime: RuntimeProcess, bundle: pathlib.Path) -> None:
    reply = _ask(runtime, {"texts": ["good", "awful"]})

    body = reply.json()
    digest = hashlib.sha256((bundle / "slipway.yaml").read_bytes()).hexdigest()
    assert body["model"] == {"name": "model", "version": "1", "digest": digest}
    assert reply.headers["x-slipway-version"] == "1"
    assert [result["label"] for result in body["results"]] == ["positive", "negative"]
    for text, result in zip(("good", "awful"), body["results"], strict=True):
        assert result["score"] == pytest.approx(bundles.score(text), abs=1e-6)
        assert result["labels"] == [result["label"]]
        assert result["scores"][0] == {"label": result["label"], "score": result["score"]}
        assert sum(one["score"] for one in result["scores"]) == pytest.approx(1)
        assert "error" not in result


def test_the_times_are_parts_of_the_whole(runtime: RuntimeProcess) -> None:
    timing = _ask(runtime, {"texts": ["good"]}).json()["timing"]

    assert timing["queue_ms"] >= 0
    assert timing["inference_ms"] > 0
    assert timing["total_ms"] >= timing["inference_ms"]


@pytest.mark.parametrize(("top_k", "told"), [(1, 1), (2, 2), (50, 2), (None, 2)])
def test_top_k_bounds_the_scores_that_are_told(runtime: RuntimeProcess, top_k: int | None, told: int) -> None:
    result = _ask(runtime, {"texts": ["good"], "top_k": top_k}).json()["results"][0]

    assert len(result["scores"]) == told
    assert result["scores"][0]["label"] == "positive"


def test_a_text_that_breaks_the_model_has_an_error_and_the_others_their_answers(
    runtime: RuntimeProcess,
) -> None:
    reply = _ask(runtime, {"texts": ["good", "poison", "bad"]})

    good, poison, bad = reply.json()["results"]
    assert reply.status_code == 200
    assert (good["label"], bad["label"]) == ("positive", "negative")
    assert poison == {"error": {"code": "InferenceFailed", "detail": "the model failed on this text"}}


def test_a_request_of_which_every_text_fails_has_failed(runtime: RuntimeProcess) -> None:
    reply = _ask(runtime, {"texts": ["poison"]})

    assert (reply.status_code, reply.json()["code"]) == (500, "InferenceFailed")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"texts": ["good"], "model": "none"}, 404, "UnknownModel"),
        ({"texts": ["good"], "model_version": "9"}, 404, "UnknownModelVersion"),
        ({"texts": ["good"], "top_k": 0}, 422, "InvalidRequest"),
        ({"texts": ["good"], "top_k": "all"}, 422, "InvalidRequest"),
        ({"texts": []}, 422, "InvalidRequest"),
        ({"texts": ["good"] * 101}, 422, "InvalidRequest"),
    ],
    ids=["another model", "another version", "no label", "a word for a number", "no texts", "101 texts"],
)
def test_what_cannot_be_answered_is_a_problem(
    runtime: RuntimeProcess, body: dict[str, Any], status: int, code: str
) -> None:
    reply = _ask(runtime, body)

    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Request-Timeout": "soon"},
        {"X-Request-Timeout": "0"},
        {"X-Request-Timeout": "-1"},
        {"X-Request-Timeout": "nan"},
        {"X-Request-Timeout": "inf"},
        {"X-Request-Priority": "urgent"},
    ],
    ids=lambda headers: "=".join(next(iter(headers.items()))),
)
@pytest.mark.parametrize("path", ["/v1/predict", "/v2/predict"])
def test_terms_that_say_nothing_are_refused(
    runtime: RuntimeProcess, path: str, headers: dict[str, str]
) -> None:
    reply = httpx.post(f"{runtime.url}{path}", json={"texts": ["good"]}, headers=headers)

    assert (reply.status_code, reply.json()["code"]) == (422, "InvalidRequest")
    assert next(iter(headers)) in reply.json()["detail"]


@pytest.mark.parametrize("priority", ["interactive", "bulk", "BULK"])
def test_terms_that_can_be_met_change_nothing(runtime: RuntimeProcess, priority: str) -> None:
    reply = _ask(runtime, {"texts": ["good"]}, **{"X-Request-Timeout": "20", "X-Request-Priority": priority})

    assert reply.status_code == 200


@pytest.mark.parametrize("path", ["/v1/predict", "/v2/predict"])
def test_an_answer_that_would_come_too_late_is_504(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path, path: str
) -> None:
    with processes.running(tmp_path, slow_bundle) as process:
        reply = httpx.post(
            f"{process.url}{path}", json={"texts": ["good"] * 100}, headers={"X-Request-Timeout": "0.05"}
        )

        assert (reply.status_code, reply.json()["code"]) == (504, "DeadlineExceeded")
        assert "0.05 s" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("threshold", "applying"),
    [(0.9, []), (0.5, ["positive"]), (0.1, ["negative", "positive"])],
    ids=["none", "one", "both"],
)
def test_a_model_of_several_labels_tells_which_apply(
    tmp_path: pathlib.Path, threshold: float, applying: list[str]
) -> None:
    bundles.write_multi_label(tmp_path / "bundle", threshold=threshold)
    with processes.running(tmp_path, tmp_path / "bundle") as process:
        result = _ask(process, {"texts": ["good"]}).json()["results"][0]

    assert result["labels"] == applying
    assert (result["label"], len(result["scores"])) == ("positive", 2)


def test_texts_for_a_model_of_tensors_are_told_where_to_go(tmp_path: pathlib.Path) -> None:
    bundles.write_simple(tmp_path / "bundle")
    with processes.running(tmp_path, tmp_path / "bundle") as process:
        reply = _ask(process, {"texts": ["good"]})

    assert (reply.status_code, reply.json()["code"]) == (422, "NotATextModel")
    assert "/v2/models/model/infer" in reply.json()["detail"]
