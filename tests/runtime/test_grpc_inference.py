"""The gRPC port asked by a stock client, tritonclient: what it sends, gets and is told."""

import asyncio
import pathlib
import queue
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from tests.runtime import bundles, grpc_clients, models_files
from tests.runtime.models_files import ModelsFile
from tests.runtime.processes import RuntimeProcess


@pytest.fixture(scope="module")
def server(bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """Serves a text model in two versions, and models of tensors."""
    directory = tmp_path_factory.mktemp("models")
    bundles.write(directory / "flipped", bundles.BundleOptions(flipped=True, goldens=[]))
    bundles.write_simple(directory / "simple")
    bundles.write_simple_string(directory / "simple_string")
    file = ModelsFile(directory / "mounted")
    file.write(
        models_files.model(bundle, "1", name="sentiment"),
        models_files.model(directory / "flipped", "2", name="sentiment"),
        models_files.model(directory / "simple", "1", name="simple"),
        models_files.model(directory / "simple_string", "1", name="simple_string"),
    )
    with models_files.serving(directory / "process", file, MODEL_NAME="sentiment") as process:
        yield process


@pytest.fixture(scope="module")
def client(server: RuntimeProcess) -> Iterator[Any]:
    with tritonclient.grpc.InferenceServerClient(server.grpc_address) as connected:
        yield connected


@pytest.fixture(scope="module")
def stub(server: RuntimeProcess) -> Iterator[Any]:
    """Below the client: for messages that it would not send."""
    with grpc_clients.channel(server.grpc_port) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def _texts(*texts: str) -> Any:
    tensor = tritonclient.grpc.InferInput("text", [len(texts)], "BYTES")
    return tensor.set_data_from_numpy(np.array([text.encode() for text in texts], dtype=object))


def _integers(name: str, rows: int) -> Any:
    data = np.arange(16 * rows, dtype=np.int32).reshape(rows, 16)
    return tritonclient.grpc.InferInput(name, list(data.shape), "INT32").set_data_from_numpy(data)


def _typed(model: str = "sentiment", version: str = "1", **contents: Any) -> Any:
    request = service_pb2.ModelInferRequest(model_name=model, model_version=version)
    tensor = request.inputs.add(name="text", datatype="BYTES", shape=[1])
    for field, values in (contents or {"bytes_contents": [b"good"]}).items():
        getattr(tensor.contents, field).extend(values)
    return request


def test_texts_get_label_score_and_scores(client: Any) -> None:
    result = client.infer("sentiment", [_texts("good", "bad")], model_version="1", request_id="a-7")

    response = result.get_response()
    assert (response.model_name, response.model_version, response.id) == ("sentiment", "1", "a-7")
    assert result.as_numpy("label").tolist() == [b"positive", b"negative"]
    assert result.as_numpy("score") == pytest.approx([bundles.score("good"), bundles.score("bad")], abs=1e-4)
    assert result.as_numpy("scores").shape == (2, 2)


def test_only_the_outputs_that_were_asked_for_come_in_their_order(client: Any) -> None:
    wanted = [tritonclient.grpc.InferRequestedOutput(name) for name in ("scores", "label")]
    response = client.infer("sentiment", [_texts("good")], outputs=wanted).get_response()

    assert not any(output.HasField("contents") for output in response.outputs)
    assert [output.name for output in response.outputs] == ["scores", "label"]


@pytest.mark.parametrize(
    ("version", "answered", "label"),
    [("1", "1", b"positive"), ("2", "2", b"negative"), ("", "2", b"negative")],
    ids=["the first", "the second", "no version is the latest"],
)
def test_a_version_is_answered_by_that_version(
    client: Any, version: str, answered: str, label: bytes
) -> None:
    result = client.infer("sentiment", [_texts("good")], model_version=version)

    assert result.get_response().model_version == answered
    assert result.as_numpy("label")[0] == label


def test_tensors_of_integers(client: Any) -> None:
    result = client.infer("simple", [_integers("INPUT0", 3), _integers("INPUT1", 3)])

    expected = np.arange(48, dtype=np.int32).reshape(3, 16)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), expected * 2)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), expected * 0)


def test_a_request_with_contents_is_answered_with_contents_and_with_raw_bytes(stub: Any) -> None:
    response = stub.ModelInfer(_typed())

    assert response.raw_output_contents[0] == b"\x08\x00\x00\x00positive"
    contents = {output.name: output.contents for output in response.outputs}
    assert list(contents["label"].bytes_contents) == [b"positive"]
    assert list(contents["score"].fp32_contents) == pytest.approx([bundles.score("good")], abs=1e-4)


def test_typed_integers_are_the_same_as_raw_ones(stub: Any) -> None:
    request = service_pb2.ModelInferRequest(model_name="simple")
    for name in ("INPUT0", "INPUT1"):
        tensor = request.inputs.add(name=name, datatype="INT32", shape=[1, 16])
        tensor.contents.int_contents.extend(range(-8, 8))
    response = stub.ModelInfer(request)

    outputs = {output.name: list(output.contents.int_contents) for output in response.outputs}
    assert outputs == {"OUTPUT0": [2 * value for value in range(-8, 8)], "OUTPUT1": [0] * 16}


def test_the_answer_says_who_gave_it_and_repeats_the_request_id(stub: Any) -> None:
    _, call = stub.ModelInfer.with_call(_typed(), metadata=(("x-request-id", "id-1"),))

    assert grpc_clients.metadata(call) == {
        "x-slipway-pod": "pod-1",
        "x-slipway-version": "1",
        "x-request-id": "id-1",
    }


@pytest.mark.parametrize("given", [(), (("x-request-id", "with space"),), (("x-request-id", "x" * 200),)])
def test_a_call_without_a_usable_id_gets_one(stub: Any, given: tuple[tuple[str, str], ...]) -> None:
    _, call = stub.ModelInfer.with_call(_typed(), metadata=given)

    assert len(grpc_clients.metadata(call)["x-request-id"]) == 32


def test_what_the_server_and_its_models_are(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("sentiment")
    assert client.is_model_ready("sentiment", "1")
    assert client.get_server_metadata(as_json=True)["name"] == "slipway-runtime"
    metadata = client.get_model_metadata("sentiment", as_json=True)
    assert sorted(metadata["versions"]) == ["1", "2"]
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": ["-1"]}]
    assert [one["name"] for one in metadata["outputs"]] == ["label", "score", "scores"]
    index = client.get_model_repository_index(as_json=True)["models"]
    assert {(one["name"], one["version"], one["state"]) for one in index} >= {
        ("sentiment", "1", "READY"),
        ("simple", "1", "READY"),
    }


def test_the_configuration_that_load_generators_ask_for(client: Any) -> None:
    config = client.get_model_config("simple", as_json=True)["config"]

    assert config["max_batch_size"] > 1
    assert config["input"][0] == {"name": "INPUT0", "data_type": "TYPE_INT32", "dims": ["16"]}
    assert client.get_model_config("sentiment", as_json=True)["config"].get("max_batch_size", 0) == 0


def test_statistics_count_what_was_answered(client: Any) -> None:
    def successes(name: str, version: str = "") -> int:
        stats = client.get_inference_statistics(name, version).model_stats
        return sum(one.inference_stats.success.count for one in stats)

    before = successes("sentiment", "1")
    client.infer("sentiment", [_texts("good")], model_version="1")

    assert successes("sentiment", "1") == before + 1
    assert len(client.get_inference_statistics("sentiment").model_stats) == 2
    assert len(client.get_inference_statistics().model_stats) == 4


NOT_SERVED: dict[str, Callable[[Any], Any]] = {
    "load": lambda client: client.load_model("simple"),
    "unload": lambda client: client.unload_model("simple"),
    "system shared memory": lambda client: client.get_system_shared_memory_status(),
    "CUDA shared memory": lambda client: client.get_cuda_shared_memory_status(),
    "log settings": lambda client: client.get_log_settings(),
    "trace settings": lambda client: client.get_trace_settings(),
}


@pytest.mark.parametrize("ask", NOT_SERVED.values(), ids=NOT_SERVED)
def test_what_is_not_served_says_so(client: Any, ask: Callable[[Any], Any]) -> None:
    with pytest.raises(InferenceServerException) as error:
        ask(client)

    assert error.value.status() == "StatusCode.UNIMPLEMENTED"
    assert error.value.message().startswith("unsupported: ")


def test_unknown_models_and_versions_are_not_found_and_the_message_names_what_there_is(client: Any) -> None:
    questions: list[Callable[[], Any]] = [
        lambda: client.infer("nothing", [_texts("good")]),
        lambda: client.get_model_metadata("nothing"),
        lambda: client.get_model_config("nothing"),
        lambda: client.is_model_ready("nothing"),
        lambda: client.get_inference_statistics("nothing"),
    ]
    for ask in questions:
        with pytest.raises(InferenceServerException, match="served: 'sentiment', 'simple'") as error:
            ask()
        assert error.value.message().startswith("Request for unknown model: ")
        assert error.value.status() == "StatusCode.NOT_FOUND"
    with pytest.raises(InferenceServerException, match="served: '1', '2'") as error:
        client.infer("sentiment", [_texts("good")], model_version="3")
    assert error.value.status() == "StatusCode.NOT_FOUND"


def test_a_stream_answers_in_order_and_goes_on_after_an_error(server: RuntimeProcess) -> None:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    with tritonclient.grpc.InferenceServerClient(server.grpc_address) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))
        client.async_stream_infer("sentiment", [_texts("good")], request_id="1")
        client.async_stream_infer("nothing", [_texts("good")], request_id="2")
        client.async_stream_infer("sentiment", [_texts("bad")], request_id="3")
        first, second, third = (answers.get(timeout=10) for _ in range(3))
        client.stop_stream()

    assert first[0].get_response().id == "1"
    assert "'nothing' is not served here" in str(second[1])
    assert third[0].get_response().id == "3"


def test_many_calls_at_once_from_an_asynchronous_client(server: RuntimeProcess) -> None:
    async def ask() -> list[Any]:
        connecting: Any = tritonclient.grpc.aio.InferenceServerClient  # it has no types
        async with connecting(server.grpc_address) as client:
            calls = [
                client.infer("sentiment", [_texts(text)], model_version="1") for text in ["good", "bad"] * 50
            ]
            return [result.as_numpy("label")[0] for result in await asyncio.gather(*calls)]

    assert asyncio.run(ask()) == [b"positive", b"negative"] * 50


def test_calls_are_counted_by_method_and_status(server: RuntimeProcess, client: Any) -> None:
    def counted(method: str, status: str) -> float:
        return server.metric(f'requests_total{{endpoint="grpc/{method}",status="{status}"}}')

    before = (
        counted("ModelInfer", "OK"),
        counted("ModelInfer", "NOT_FOUND"),
        counted("other", "UNIMPLEMENTED"),
    )
    client.infer("sentiment", [_texts("good")])
    with pytest.raises(InferenceServerException):
        client.infer("nothing", [_texts("good")])
    with pytest.raises(InferenceServerException):
        client.load_model("nothing")

    after = counted("ModelInfer", "OK"), counted("ModelInfer", "NOT_FOUND"), counted("other", "UNIMPLEMENTED")
    assert after == tuple(count + 1 for count in before)
