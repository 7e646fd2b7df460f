"""What a healthy runtime answers, on every route."""

import httpx
import pytest

from tests.runtime import bundles
from tests.runtime.processes import RuntimeProcess

TEXTS = ["good", "great good", "bad", "awful bad great", "plain", "an unknown word", "", "  "]


@pytest.mark.parametrize("path", ["/v1/predict", "/predict"])
def test_every_text_gets_the_answer_that_can_be_computed_on_paper(runtime: RuntimeProcess, path: str) -> None:
    reply = httpx.post(f"{runtime.url}{path}", json={"texts": TEXTS})

    assert reply.status_code == 200
    assert reply.json()["processing_time_ms"] > 0
    for text, prediction in zip(TEXTS, reply.json()["predictions"], strict=True):
        assert prediction == {
            "text": text,
            "label": bundles.label(text),
            "score": pytest.approx(bundles.score(text), abs=1e-6),
            "model_version": "1",
        }


@pytest.mark.parametrize("count", [1, 32, 33, 100])
def test_a_request_larger_than_a_batch_is_answered_in_order(runtime: RuntimeProcess, count: int) -> None:
    texts = [" ".join(["good" if row % 3 else "bad"] * (1 + row % 7)) for row in range(count)]

    predictions = runtime.predict(*texts).json()["predictions"]

    assert [prediction["text"] for prediction in predictions] == texts
    assert [prediction["label"] for prediction in predictions] == [bundles.label(text) for text in texts]


def test_tokens_beyond_the_models_length_are_cut_off(runtime: RuntimeProcess) -> None:
    text = " ".join(["good"] + ["plain"] * 127 + ["awful"] * 50)

    assert runtime.predict(text).json()["predictions"][0]["label"] == "positive"


@pytest.mark.parametrize("version", ["1", None], ids=["the served version", "null"])
def test_the_served_version_can_be_named_or_left_out(runtime: RuntimeProcess, version: str | None) -> None:
    reply = runtime.predict("good", model_version=version)

    assert reply.json()["predictions"][0]["model_version"] == "1"


def test_every_answer_says_who_gave_it(runtime: RuntimeProcess) -> None:
    for reply in (runtime.predict("good"), runtime.predict(), httpx.get(f"{runtime.url}/nothing/here")):
        assert reply.headers["x-slipway-pod"] == "pod-1"
        assert reply.headers["x-slipway-version"] == "1"
        assert reply.headers["x-request-id"]


def test_a_usual_request_id_is_echoed(runtime: RuntimeProcess) -> None:
    reply = httpx.get(f"{runtime.url}/health", headers={"x-request-id": "abc-123"})

    assert reply.headers["x-request-id"] == "abc-123"


@pytest.mark.parametrize(
    "sent", ["x" * 129, "with space", "\u00e9"], ids=["too long", "with a space", "not ASCII"]
)
def test_a_request_id_that_is_not_fit_for_a_log_is_replaced(runtime: RuntimeProcess, sent: str) -> None:
    reply = httpx.get(f"{runtime.url}/health", headers=[(b"x-request-id", sent.encode())])

    assert len(reply.headers["x-request-id"]) == 32


def test_health_says_what_is_served(runtime: RuntimeProcess) -> None:
    health = httpx.get(f"{runtime.url}/health").json()
    [version] = health.pop("models")

    assert health == {
        "status": "ok",
        "model_loaded": True,
        "phase": "Ready",
        "model": "model",
        "versions": ["1"],
        "provider": "CPUExecutionProvider",
        "models_file": "",
    }
    assert (version["state"], version["latest"], version["reason"]) == ("READY", True, "")
    assert len(version["digest"]) == 64
    files = {file["name"]: file for file in version["origin"]["files"]}
    assert files["slipway.yaml"]["sha256"] == version["digest"]
    assert files["model.onnx"]["size"] > 0
    assert version["origin"]["resolved"] == version["source"]


def test_the_openapi_page_has_the_plain_routes(runtime: RuntimeProcess) -> None:
    page = httpx.get(f"{runtime.url}/openapi.json").json()

    for path in ("/v1/predict", "/predict"):
        operation = page["paths"][path]["post"]
        assert operation["requestBody"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/PredictRequest"
        }
        assert {"200", "422", "429", "503"} <= operation["responses"].keys()
    assert {"PredictRequest", "PredictResponse", "Prediction", "Problem"} <= page["components"][
        "schemas"
    ].keys()


def test_both_ports_show_the_same_metrics(runtime: RuntimeProcess) -> None:
    runtime.predict("good")

    for url in (runtime.url, runtime.probes_url):
        text = httpx.get(f"{url}/metrics").text
        assert 'requests_total{endpoint="/v1/predict",status="200"}' in text
        assert "inference_duration_seconds_bucket" in text
        assert 'slipway_model_info{digest="' in text


def test_paths_nobody_serves_share_one_label(runtime: RuntimeProcess) -> None:
    sample = 'requests_total{endpoint="other",status="404"}'
    before = runtime.metric(sample)

    for number in range(20):
        httpx.get(f"{runtime.url}/nothing/{number}")

    assert runtime.metric(sample) == before + 20
