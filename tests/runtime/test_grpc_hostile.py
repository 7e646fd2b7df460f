"""Calls that lie, that are too large or too late, and clients that leave: who is hurt, and who is not."""

import concurrent.futures
import pathlib
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.runtime import grpc_clients, models_files, processes
from tests.runtime.bundles import write_simple
from tests.runtime.models_files import ModelsFile
from tests.runtime.processes import RuntimeProcess

INVALID = grpc.StatusCode.INVALID_ARGUMENT
QUEUE_ROWS = 'slipway_queue_rows{model="model",version="1"}'
GOOD = struct.pack("<I", 4) + b"good"


@pytest.fixture(scope="module")
def server(bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    directory = tmp_path_factory.mktemp("models")
    write_simple(directory / "simple")
    file = ModelsFile(directory / "mounted")
    file.write(
        models_files.model(bundle, "1", name="sentiment"),
        models_files.model(directory / "simple", "1", name="simple"),
    )
    with models_files.serving(directory / "process", file, MODEL_NAME="sentiment") as process:
        yield process


@pytest.fixture(scope="module")
def stub(server: RuntimeProcess) -> Iterator[Any]:
    with grpc_clients.channel(server.grpc_port) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def _request(
    *raw: bytes,
    shape: tuple[int, ...] = (1,),
    name: str = "text",
    datatype: str = "BYTES",
    model: str = "sentiment",
) -> Any:
    """A request of one input and `raw` as its raw_input_contents."""
    request = service_pb2.ModelInferRequest(model_name=model, raw_input_contents=raw)
    request.inputs.add(name=name, datatype=datatype, shape=shape)
    return request


def _with(request: Any, **contents: Any) -> Any:
    """The same with `contents` of its first input."""
    for field, values in contents.items():
        getattr(request.inputs[0].contents, field).extend(values)
    return request


def _parameter(request: Any, name: str, **value: Any) -> Any:
    request.parameters[name].CopyFrom(service_pb2.InferParameter(**value))
    return request


def _output(request: Any, name: str) -> Any:
    request.outputs.add(name=name)
    return request


def _small(*values: int, datatype: str, field: str) -> Any:
    request = service_pb2.ModelInferRequest(model_name="simple")
    for name in ("INPUT0", "INPUT1"):
        tensor = request.inputs.add(name=name, datatype=datatype, shape=[1, 16])
        getattr(tensor.contents, field).extend(values or range(16))
    return request


WRONG: dict[str, tuple[Any, str]] = {
    "no model": (_request(GOOD, model=""), "model"),
    "no input": (service_pb2.ModelInferRequest(model_name="sentiment"), "'text' is missing"),
    "an unknown input": (_request(GOOD, name="texts"), "no input 'texts'"),
    "an unknown output": (_output(_request(GOOD), "labels"), "no output 'labels'"),
    "another datatype": (_request(GOOD, datatype="FP32"), "is BYTES, not 'FP32'"),
    "a datatype that does not exist": (_with(_request(datatype="STRING"), bytes_contents=[b"a"]), "'STRING'"),
    "a negative dimension": (_request(GOOD, shape=(-1,)), "shape"),
    "a further axis": (_request(GOOD, shape=(1, 1)), "shape"),
    "no axis": (_request(GOOD, shape=()), "shape"),
    "no rows": (_request(b"", shape=(0,)), "rows"),
    "more rows than a request may have": (_request(GOOD * 101, shape=(101,)), "rows"),
    "a shape beyond any memory": (_request(GOOD, shape=(2**62,)), "rows"),
    "raw and typed at once": (_with(_request(GOOD), bytes_contents=[b"good"]), "use one of the two"),
    "two pieces for one input": (_request(GOOD, GOOD), "2 entries for 1 inputs"),
    "less data than the shape says": (_request(GOOD, shape=(2,)), "element"),
    "more data than the shape says": (_request(GOOD * 2), "after the last"),
    "a length that reaches beyond the data": (
        _request(struct.pack("<I", 2**32 - 1) + b"good"),
        "beyond the end",
    ),
    "half a length": (_request(b"\x01\x00"), "too few"),
    "fewer typed elements than the shape says": (
        _with(_request(shape=(2,)), bytes_contents=[b"a"]),
        "element",
    ),
    "typed contents of another datatype": (_with(_request(), fp32_contents=[1.0]), "not in fp32_contents"),
    "a text that is too long": (_with(_request(), bytes_contents=[b"x" * 20_000]), "at most 16384"),
    "bytes that are no text": (_with(_request(), bytes_contents=[b"\xff\xfe"]), "UTF-8"),
    "integers in the wrong field": (
        _small(datatype="INT32", field="int64_contents"),
        "not in int64_contents",
    ),
    "another kind of integers": (_small(datatype="INT8", field="int_contents"), "is INT32, not 'INT8'"),
    "too few integers": (_small(1, 2, datatype="INT32", field="int_contents"), "16 elements"),
    "a parameter without a value": (_parameter(_request(GOOD), "priority"), "has no value"),
    "a priority that there is not": (_parameter(_request(GOOD), "priority", string_param="high"), "priority"),
    "a timeout below zero": (_parameter(_request(GOOD), "timeout", int64_param=-1), "timeout"),
}


@pytest.mark.parametrize(("request_", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_refused_with_what_is_wrong(stub: Any, request_: Any, says: str) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(request_, timeout=10)

    assert error.value.code() is INVALID
    assert says in error.value.details()


@pytest.mark.parametrize(
    "request_",
    [
        _parameter(_request(GOOD), "sequence_id", int64_param=7),
        _parameter(_request(GOOD), "sequence_id", string_param="seven"),
    ],
    ids=["a number", "a name"],
)
def test_sequences_are_unsupported(stub: Any, request_: Any) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(request_, timeout=10)

    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_shared_memory_is_unsupported(stub: Any) -> None:
    request = _request()
    request.inputs[0].parameters["shared_memory_region"].string_param = "region"
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(request, timeout=10)

    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_message_that_is_none_is_refused(server: RuntimeProcess) -> None:
    with grpc_clients.channel(server.grpc_port) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary(grpc_clients.METHOD)(b"\xff" * 100, timeout=10)

    assert (error.value.code(), error.value.details()) == (INVALID, "the message is no ModelInferRequest")


def test_a_message_of_more_than_16_mib_is_refused_and_one_below_is_looked_at(
    stub: Any, server: RuntimeProcess
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(_request(b"x" * (16 * 1024 * 1024)), timeout=30)
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(_request(b"x" * (15 * 1024 * 1024)), timeout=30)
    assert error.value.code() is INVALID
    assert stub.ModelInfer(_request(GOOD), timeout=10).model_name == "sentiment"
    assert server.running


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00" * 1000,
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500,
    ],
    ids=["silence", "zeros", "HTTP/1.1", "a preface and noise"],
)
def test_what_is_no_grpc_harms_nobody(server: RuntimeProcess, stub: Any, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=5) as client:
        client.sendall(sent)
        assert stub.ModelInfer(_request(GOOD), timeout=10).model_name == "sentiment"


@pytest.fixture(scope="module")
def slow(slow_bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A slow model with room for 120 waiting rows."""
    environment = {"SLIPWAY_MAX_QUEUE_ROWS": "120", "SLIPWAY_REQUEST_TIMEOUT_SECONDS": "20"}
    with processes.running(tmp_path_factory.mktemp("slow"), slow_bundle, **environment) as process:
        yield process


@pytest.fixture
def infer(slow: RuntimeProcess) -> Iterator[Any]:
    with grpc_clients.channel(slow.grpc_port) as channel:
        yield channel.unary_unary(grpc_clients.METHOD)


def _wait_for_empty_queue(process: RuntimeProcess) -> None:
    deadline = time.monotonic() + 15
    while process.metric(QUEUE_ROWS):
        assert time.monotonic() < deadline, "rows still wait"
        time.sleep(0.01)


def _waiting(process: RuntimeProcess, infer: Any, *, rows: int, least: int) -> Any:
    """A call of which so many rows wait; another is made when a busy machine was too slow to see them."""
    for _ in range(20):
        call = infer.future(grpc_clients.request("model", *["good"] * rows), timeout=30)
        while not call.done():
            if process.metric(QUEUE_ROWS) >= least:
                return call
    raise AssertionError(f"{least} of {rows} rows were never seen to wait")


def test_a_full_queue_refuses_with_the_time_to_come_back(slow: RuntimeProcess, infer: Any) -> None:
    first = _waiting(slow, infer, rows=100, least=40)
    with pytest.raises(grpc.RpcError) as error:
        infer(grpc_clients.request("model", *["good"] * 100), timeout=30)

    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert int(grpc_clients.metadata(error.value)["grpc-retry-pushback-ms"]) >= 1000
    assert first.result().count(b"positive") == 100


def test_the_rows_of_a_cancelled_call_leave_the_queue_and_nobody_else_is_hurt(
    slow: RuntimeProcess, infer: Any
) -> None:
    before = slow.metric('requests_total{endpoint="grpc/ModelInfer",status="CANCELLED"}')
    with concurrent.futures.ThreadPoolExecutor(6) as others:
        cancelled = _waiting(slow, infer, rows=100, least=60)
        mates = [others.submit(infer, grpc_clients.request("model", "bad"), timeout=30) for _ in range(6)]
        time.sleep(0.02)
        cancelled.cancel()
        answers = [mate.result() for mate in mates]
    _wait_for_empty_queue(slow)

    assert all(b"negative" in answer for answer in answers)
    assert slow.metric('requests_total{endpoint="grpc/ModelInfer",status="CANCELLED"}') == before + 1
    assert infer(grpc_clients.request("model", "good"), timeout=10).count(b"positive") == 1


def test_a_call_is_given_up_at_its_deadline_and_its_rows_leave_the_queue(
    slow: RuntimeProcess, infer: Any
) -> None:
    first = _waiting(slow, infer, rows=100, least=40)
    with pytest.raises(grpc.RpcError) as error:
        infer(grpc_clients.request("model", *["good"] * 20), timeout=0.05)

    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert first.result().count(b"positive") == 100
    _wait_for_empty_queue(slow)


def test_the_timeout_of_the_request_is_a_deadline_too(slow: RuntimeProcess, infer: Any) -> None:
    request = service_pb2.ModelInferRequest.FromString(grpc_clients.request("model", *["good"] * 100))
    body = _parameter(request, "timeout", int64_param=20_000).SerializeToString()
    with pytest.raises(grpc.RpcError) as error:
        infer(body, timeout=30)

    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    _wait_for_empty_queue(slow)


def test_a_text_that_breaks_the_model_fails_alone(slow: RuntimeProcess, infer: Any) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        good = [clients.submit(infer, grpc_clients.request("model", "good"), timeout=30) for _ in range(7)]
        poison = clients.submit(infer, grpc_clients.request("model", "poison"), timeout=30)
        answers = [one.result() for one in good]
        with pytest.raises(grpc.RpcError) as error:
            poison.result()

    assert all(b"positive" in answer for answer in answers)
    assert error.value.code() is grpc.StatusCode.INTERNAL
