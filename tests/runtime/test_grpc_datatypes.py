"""Every datatype over gRPC, there and back through a model that changes nothing, raw and typed."""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import numpy as np
import pytest
from onnx import TensorProto, helper
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.runtime import bundles, graphs, grpc_clients, models_files
from tests.runtime.models_files import ModelsFile

Values = list[Any]

# datatype: ONNX's, numpy's, the field of typed contents, and values at the edges of the type
DATATYPES: dict[str, tuple[int, str, str, Values]] = {
    "BOOL": (TensorProto.BOOL, "?", "bool_contents", [True, False, True]),
    "INT8": (TensorProto.INT8, "i1", "int_contents", [-128, 0, 127]),
    "INT16": (TensorProto.INT16, "<i2", "int_contents", [-(2**15), 0, 2**15 - 1]),
    "INT32": (TensorProto.INT32, "<i4", "int_contents", [-(2**31), 0, 2**31 - 1]),
    "INT64": (TensorProto.INT64, "<i8", "int64_contents", [-(2**63), 0, 2**63 - 1]),
    "UINT8": (TensorProto.UINT8, "u1", "uint_contents", [0, 1, 255]),
    "UINT16": (TensorProto.UINT16, "<u2", "uint_contents", [0, 1, 2**16 - 1]),
    "UINT32": (TensorProto.UINT32, "<u4", "uint_contents", [0, 1, 2**32 - 1]),
    "UINT64": (TensorProto.UINT64, "<u8", "uint64_contents", [0, 1, 2**64 - 1]),
    "FP32": (TensorProto.FLOAT, "<f4", "fp32_contents", [-1.5, 0.0, 3.25]),
    "FP64": (TensorProto.DOUBLE, "<f8", "fp64_contents", [-1e300, 0.0, 1e-300]),
    "BYTES": (TensorProto.STRING, "", "bytes_contents", [b"", b"a", "ü".encode()]),
}
NARROW = {"INT8": 128, "INT16": 2**15, "UINT8": 256, "UINT16": 2**16}


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Of a server with two models: an input and an output of each datatype; and the same with FP16."""
    directory = tmp_path_factory.mktemp("datatypes")
    _write(directory / "typed", list(DATATYPES))
    _write(directory / "raw", [*DATATYPES, "FP16"])
    file = ModelsFile(directory / "mounted")
    file.write(*(models_files.model(directory / name, "1", name=name) for name in ("typed", "raw")))
    with (
        models_files.serving(directory / "process", file, MODEL_NAME="raw") as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def _write(directory: pathlib.Path, datatypes: list[str]) -> None:
    types = {name: kind for name, (kind, *_) in DATATYPES.items()} | {"FP16": TensorProto.FLOAT16}
    model = graphs.graph(
        [helper.make_node("Identity", [name], [f"{name}_out"]) for name in datatypes],
        inputs={name: (types[name], ("n", 3)) for name in datatypes},
        outputs={f"{name}_out": (types[name], ("n", 3)) for name in datatypes},
    )
    bundles.write_model(directory, model)


def _raw(datatype: str) -> bytes:
    if datatype == "BYTES":
        return b"".join(len(one).to_bytes(4, "little") + one for one in DATATYPES["BYTES"][3])
    if datatype == "FP16":
        return np.array([-2.0, 0.5, 65504.0], "<f2").tobytes()
    return np.array(DATATYPES[datatype][3], DATATYPES[datatype][1]).tobytes()


def _request(model: str) -> Any:
    request = service_pb2.ModelInferRequest(model_name=model)
    for datatype in [*DATATYPES, "FP16"] if model == "raw" else DATATYPES:
        request.inputs.add(name=datatype, datatype=datatype, shape=[1, 3])
    return request


def _raw_request() -> Any:
    request = _request("raw")
    request.raw_input_contents.extend(_raw(tensor.datatype) for tensor in request.inputs)
    return request


def _typed_request(model: str = "typed", changes: Mapping[str, Values] | None = None) -> Any:
    request = _request(model)
    for tensor in request.inputs:
        if tensor.datatype in DATATYPES:
            _, _, field, values = DATATYPES[tensor.datatype]
            getattr(tensor.contents, field).extend((changes or {}).get(tensor.datatype, values))
    return request


def test_raw_bytes_come_back_as_they_went(stub: Any) -> None:
    response = stub.ModelInfer(_raw_request(), timeout=10)

    assert {output.name.removesuffix("_out"): output.datatype for output in response.outputs} == {
        name: name for name in [*DATATYPES, "FP16"]
    }
    answered = zip(response.outputs, response.raw_output_contents, strict=True)
    assert {output.datatype: raw for output, raw in answered} == {
        name: _raw(name) for name in [*DATATYPES, "FP16"]
    }


def test_typed_contents_come_back_as_they_went(stub: Any) -> None:
    response = stub.ModelInfer(_typed_request(), timeout=10)

    for output in response.outputs:
        _, _, field, values = DATATYPES[output.datatype]
        assert list(getattr(output.contents, field)) == values
        assert [descriptor.name for descriptor, _ in output.contents.ListFields()] == [field]


def test_half_precision_is_sent_raw_only(stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(_typed_request("raw"), timeout=10)

    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "'FP16': FP16 is sent as binary data only" in error.value.details()


@pytest.mark.parametrize(("datatype", "value"), NARROW.items())
def test_a_number_that_its_field_can_carry_and_its_datatype_cannot_is_refused(
    stub: Any, datatype: str, value: int
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(_typed_request(changes={datatype: [value, 0, 0]}), timeout=10)

    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"too large for {datatype}" in error.value.details()
