"""Messages that are made to grow when they are read: each is refused, costs little, and holds nobody up."""

import itertools
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest

from tests.runtime import grpc_clients, processes
from tests.runtime.bounds import bounded, responsive
from tests.runtime.processes import RuntimeProcess

_MIB = 1024 * 1024
_MOST = 16 * _MIB
INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
# Field numbers of a request, of an input, of contents
NAME, PARAMETERS, INPUTS, OUTPUTS, RAW = 1, 4, 5, 6, 7
INPUT_NAME, DATATYPE, SHAPE, INPUT_PARAMETERS, CONTENTS = 1, 2, 3, 4, 5
BOOLS, INTS, LONGS, FLOATS, STRINGS = 1, 2, 3, 6, 8


@pytest.fixture(scope="module")
def served(bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    with processes.running(tmp_path_factory.mktemp("served"), bundle) as process:
        assert process.predict(*["good"] * 100).status_code == 200
        _call(process, _request(_field(INPUTS, b"")))
        yield process


@dataclass(frozen=True, slots=True)
class Case:
    message: bytes
    code: grpc.StatusCode
    says: str


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _request(*parts: bytes, model: bytes = b"model") -> bytes:
    return _field(NAME, model) + b"".join(parts)


def _input(*parts: bytes, name: bytes = b"text", datatype: bytes = b"BYTES", shape: bytes = b"\x01") -> bytes:
    head = _field(INPUT_NAME, name) + _field(DATATYPE, datatype) + _field(SHAPE, shape)
    return _field(INPUTS, head + b"".join(parts))


def _filled(part: bytes, size: int = _MOST - 1024) -> bytes:
    return part * (size // len(part))


def _parameters(number: int, size: int) -> bytes:
    names = itertools.islice(itertools.product(range(1, 128), repeat=4), size // 12)
    value = _field(2, b"\x08\x01")
    return b"".join(_field(number, _field(1, bytes(name)) + value) for name in names)


def _typed(number: int, content: bytes, **of: bytes) -> bytes:
    return _input(_field(CONTENTS, _field(number, content)), **of)


CASES = {
    "inputs of two bytes": Case(_filled(_field(INPUTS, b"")), INVALID, "at most 1024 inputs"),
    "outputs of two bytes": Case(_filled(_field(OUTPUTS, b"")), INVALID, "at most 1024 outputs"),
    "raw tensors of two bytes": Case(_filled(_field(RAW, b"")), INVALID, "at most 1024 raw_input_contents"),
    "parameters": Case(_request(_parameters(PARAMETERS, 8 * _MIB)), INVALID, "at most 1024 parameters"),
    "parameters of an input": Case(
        _request(_input(_parameters(INPUT_PARAMETERS, 2 * _MIB - 1024))), INVALID, "fields"
    ),
    "parameters of an output": Case(
        _request(_field(OUTPUTS, _parameters(2, 2 * _MIB - 1024))), INVALID, "fields"
    ),
    "axes in one piece": Case(_request(_input(shape=_filled(b"\x01"))), INVALID, "raw_input_contents"),
    "as many axes as are looked at": Case(
        _request(_input(shape=_filled(b"\x01", 2 * _MIB - 1024))), INVALID, "at most 32"
    ),
    "axes one by one": Case(_request(_input(_filled(b"\x18\x01"))), INVALID, "fields"),
    "fields that there are not": Case(_filled(b"\x78\x01"), INVALID, "fields"),
    "groups in groups": Case(_filled(b"\x7b"), INVALID, "no ModelInferRequest"),
    "numbers for a model that there is not": Case(
        _request(_typed(INTS, _filled(b"\x01", 2 * _MIB - 1024), datatype=b"INT32"), model=b"nothing"),
        NOT_FOUND,
        "'nothing'",
    ),
    "numbers for a model that takes texts": Case(
        _request(_typed(LONGS, _filled(b"\x01", 2 * _MIB - 1024), datatype=b"INT64")), INVALID, "is BYTES"
    ),
    "more numbers than are looked at": Case(
        _request(_typed(LONGS, _filled(b"\x01"), datatype=b"INT64")), INVALID, "raw_input_contents"
    ),
    "many numbers for one text": Case(
        _request(_typed(FLOATS, bytes(2 * _MIB - 1024))), INVALID, "not in fp32_contents"
    ),
    "texts of no length": Case(
        _request(_input(_field(CONTENTS, _filled(_field(STRINGS, b""), 2 * _MIB - 1024)))),
        INVALID,
        "data has 2 elements",
    ),
    "a text of 15 MiB": Case(_request(_input(), _field(RAW, bytes(15 * _MIB))), INVALID, "after the last of"),
    "a name of 15 MiB": Case(_request(model=bytes(15 * _MIB)), INVALID, "raw_input_contents"),
    "a name of 2 MiB": Case(_request(model=bytes(2 * _MIB - 1024)), NOT_FOUND, "unknown model"),
}


def _call(process: RuntimeProcess, message: bytes, method: str = grpc_clients.METHOD) -> tuple[object, str]:
    with grpc_clients.channel(process.grpc_port) as channel:
        try:
            channel.unary_unary(method)(message, timeout=60)
        except grpc.RpcError as error:
            return error.code(), error.details()
    raise AssertionError("it was answered")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_message_that_is_made_to_grow_is_refused(served: RuntimeProcess, case: Case) -> None:
    with bounded(served), responsive(served):
        code, says = _call(served, case.message)

    assert code is case.code
    assert case.says in says


@pytest.mark.parametrize("method", ["ModelReady", "ModelMetadata", "RepositoryIndex"])
def test_a_question_of_megabytes_is_none(served: RuntimeProcess, method: str) -> None:
    path = grpc_clients.METHOD.replace("ModelInfer", method)
    with bounded(served), responsive(served):
        code, says = _call(served, _field(1, bytes(15 * _MIB)), path)

    assert (code, "larger than" in says) == (INVALID, True)


def test_small_messages_that_grow_are_refused_as_fast_as_they_come(served: RuntimeProcess) -> None:
    message = _filled(_field(INPUTS, b""), 2000)
    with bounded(served), responsive(served), grpc_clients.channel(served.grpc_port) as channel:
        infer = channel.unary_unary(grpc_clients.METHOD)
        for call in [infer.future(message, timeout=60) for _ in range(100)]:
            assert call.code() is INVALID


def test_large_messages_under_way_have_a_bound_that_they_share_with_http(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    texts = ["good " * 300] * 100
    large = grpc_clients.request("model", *texts)
    with (
        processes.running(tmp_path, slow_bundle, SLIPWAY_MAX_HELD_BYTES=str(256 * 1024)) as slow,
        grpc_clients.channel(slow.grpc_port) as channel,
    ):
        infer = channel.unary_unary(grpc_clients.METHOD)
        first = infer.future(large, timeout=30)
        while not slow.metric('slipway_queue_rows{model="model",version="1"}') and not first.done():
            pass
        with pytest.raises(grpc.RpcError) as error:
            infer(large, timeout=30)
        assert slow.predict(*texts).status_code == 429
        assert first.result().count(b"positive") == 100
        assert infer(large, timeout=30).count(b"positive") == 100

        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "bytes of bodies already" in error.value.details()
        assert grpc_clients.metadata(error.value)["grpc-retry-pushback-ms"] == "1000"
        assert slow.metric('slipway_rejected_total{reason="held_bytes"}') == 2
