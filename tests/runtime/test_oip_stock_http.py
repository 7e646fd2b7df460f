"""Stock clients of the Open Inference Protocol over HTTP, unmodified, against a real process."""

import asyncio
import json
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http
import tritonclient.http.aio
from tritonclient.utils import InferenceServerException

from tests.runtime import bundles, environments, processes
from tests.runtime.processes import RuntimeProcess

_SCRIPT = pathlib.Path(__file__).parent / "kserve_rest.py"


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """Triton's model "simple": two tensors of INT32 [-1, 16] to their sum and their difference."""
    directory = tmp_path_factory.mktemp("simple")
    bundles.write_simple(directory / "bundle")
    with processes.running(directory, directory / "bundle", MODEL_NAME="simple") as process:
        yield process


@pytest.fixture
def client(runtime: RuntimeProcess) -> Iterator[Any]:
    with tritonclient.http.InferenceServerClient(f"127.0.0.1:{runtime.port}", concurrency=4) as client:
        yield client


def _texts(*texts: str, binary: bool = True, module: Any = tritonclient.http) -> list[Any]:
    tensor = module.InferInput("text", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array([text.encode() for text in texts], dtype=object), binary_data=binary)
    return [tensor]


def _labels(result: Any) -> list[str]:
    return [label if isinstance(label, str) else label.decode() for label in result.as_numpy("label")]


def test_it_learns_what_the_server_serves(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("model")
    assert client.is_model_ready("model", "1")
    assert not client.is_model_ready("none")
    assert client.get_server_metadata()["name"] == "slipway-runtime"
    assert client.get_model_metadata("model")["inputs"][0]["name"] == "text"
    assert client.get_model_config("model", "1")["name"] == "model"
    assert client.get_inference_statistics()["model_stats"][0]["name"] == "model"
    assert client.get_inference_statistics("model")["model_stats"][0]["version"] == "1"
    assert client.get_model_repository_index()[0]["state"] == "READY"


@pytest.mark.parametrize("version", ["", "1"], ids=["the latest", "by its version"])
@pytest.mark.parametrize("binary_in", [True, False], ids=["binary in", "JSON in"])
@pytest.mark.parametrize("binary_out", [True, False, None], ids=["binary out", "JSON out", "as it comes"])
def test_it_infers_in_every_form(
    client: Any, version: str, *, binary_in: bool, binary_out: bool | None
) -> None:
    names = ("label", "score", "scores")
    outputs = (
        binary_out
        if binary_out is None
        else [tritonclient.http.InferRequestedOutput(name, binary_data=binary_out) for name in names]
    )

    result = client.infer(
        "model", _texts("good", "awful", binary=binary_in), model_version=version, outputs=outputs
    )

    assert _labels(result) == ["positive", "negative"]
    assert result.as_numpy("scores").shape == (2, 2)
    assert result.as_numpy("score")[0] == pytest.approx(bundles.score("good"), abs=1e-6)


@pytest.mark.parametrize("request_encoding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("answer_encoding", [None, "gzip", "deflate"])
def test_it_compresses_both_ways(
    client: Any, request_encoding: str | None, answer_encoding: str | None
) -> None:
    result = client.infer(
        "model",
        _texts(*["good", "bad"] * 50),
        request_compression_algorithm=request_encoding,
        response_compression_algorithm=answer_encoding,
    )

    assert _labels(result) == ["positive", "negative"] * 50


def test_it_infers_many_at_once(client: Any) -> None:
    requests = [client.async_infer("model", _texts("good"), request_id=str(number)) for number in range(20)]

    results = [request.get_result(timeout=20) for request in requests]

    assert [result.get_response()["id"] for result in results] == [str(number) for number in range(20)]
    assert all(_labels(result) == ["positive"] for result in results)


def test_it_says_how_urgent_a_request_is(client: Any) -> None:
    result = client.infer("model", _texts("good"), priority=2, timeout=20_000_000, parameters={"own": "x"})

    assert _labels(result) == ["positive"]


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"model_name": "none"}, "404", "model 'none' is not served here"),
        ({"model_version": "9"}, "404", "version '9' is not served here"),
        ({"inputs": _texts(*["a"] * 101)}, "400", "1 to 100 rows"),
        ({"inputs": [tritonclient.http.InferInput("text", [1], "BYTES")]}, "400", "neither a list of data"),
        ({"outputs": [tritonclient.http.InferRequestedOutput("y")]}, "400", "there is no output 'y'"),
        (
            {"outputs": [tritonclient.http.InferRequestedOutput("scores", class_count=1)]},
            "400",
            "unsupported",
        ),
        ({"sequence_id": 3}, "400", "unsupported: sequences"),
        ({"timeout": 1}, "504", "no answer within"),
    ],
)
def test_its_own_exception_carries_what_went_wrong(
    client: Any, change: dict[str, Any], status: str, says: str
) -> None:
    with pytest.raises(InferenceServerException) as caught:
        client.infer(**{"model_name": "model", "inputs": _texts("good"), **change})

    assert caught.value.status() == status
    assert says in caught.value.message()


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.load_model("model"),
        lambda client: client.unload_model("model"),
        lambda client: client.get_system_shared_memory_status(),
        lambda client: client.get_log_settings(),
        lambda client: client.get_trace_settings(),
    ],
    ids=["load", "unload", "shared memory", "log settings", "trace settings"],
)
def test_what_is_not_offered_is_told_in_its_own_exception(client: Any, call: Any) -> None:
    with pytest.raises(InferenceServerException, match="unsupported"):
        call(client)


def test_tensors_of_numbers_go_both_ways(simple: RuntimeProcess) -> None:
    left, right = np.arange(32, dtype=np.int32).reshape(2, 16), np.ones((2, 16), dtype=np.int32)
    inputs = []
    for name, array, binary in (("INPUT0", left, True), ("INPUT1", right, False)):
        inputs.append(tritonclient.http.InferInput(name, array.shape, "INT32"))
        inputs[-1].set_data_from_numpy(array, binary_data=binary)

    with tritonclient.http.InferenceServerClient(f"127.0.0.1:{simple.port}") as client:
        result = client.infer("simple", inputs)

    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), left + right)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), left - right)


def test_its_asynchronous_form_works_too(runtime: RuntimeProcess) -> None:
    async def infer() -> list[Any]:
        async with tritonclient.http.aio.InferenceServerClient(f"127.0.0.1:{runtime.port}") as client:
            assert await client.is_server_ready()
            module = tritonclient.http.aio
            calls = [
                client.infer("model", _texts(text, module=module), response_compression_algorithm="gzip")
                for text in ("good", "bad")
            ]
            return list(await asyncio.gather(*calls))

    assert [_labels(result) for result in asyncio.run(infer())] == [["positive"], ["negative"]]


def test_the_kserve_client_works_unmodified(runtime: RuntimeProcess) -> None:
    ran = subprocess.run(
        [environments.environment("kserve"), _SCRIPT, runtime.url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "server live": True,
        "server ready": True,
        "model ready": True,
        "JSON": ["positive", "negative"],
        "binary": ["positive", "negative"],
        "refused": "400 there is no input 'none'; the inputs are 'text'",
    }
