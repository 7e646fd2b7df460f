"""Between the protocol's messages and its values: what a request carries, and what an answer is made of.

A tensor travels as raw bytes or in the field of its datatype. Pure. Whether a tensor is wanted, and
whether its size is true, is checked elsewhere; the field is not read before.
"""

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from slipway_runtime.transport.grpc import open_inference_pb2 as pb
from slipway_runtime.transport.grpc.messages import Request
from slipway_runtime.transport.limits import MAX_AXES
from slipway_runtime.transport.oip import codec, errors
from slipway_runtime.transport.oip.values import (
    Elements,
    InferRequest,
    InferResponse,
    Input,
    Parameters,
    RequestedOutput,
    Tensor,
)

_FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
# Of the fields that are wider than some datatypes which they carry.
_FIELD_TYPES = {"int_contents": np.int32, "uint_contents": np.uint32}


def request(received: Request) -> InferRequest:
    """The request as it came, its sizes unchecked. Raises OipError when its two forms are mixed."""
    message = received.message
    inputs = _raw_inputs(received) if received.raw else _typed_inputs(message)
    return InferRequest(
        model=message.model_name,
        version=message.model_version,
        inputs=tuple(inputs),
        outputs=tuple(RequestedOutput(one.name, _parameters(one.parameters)) for one in message.outputs),
        id=message.id,
        parameters=_parameters(message.parameters),
    )


def response(answer: InferResponse, *, raw: bool) -> pb.ModelInferResponse:
    """The message of an answer, to a raw request or to a typed one.

    A typed request is answered in both forms: some clients that send contents read contents, others,
    Triton's own examples among them, the raw bytes that Triton answers with whatever it was sent.
    """
    message = pb.ModelInferResponse(model_name=answer.model, model_version=answer.version, id=answer.id)
    for output in answer.outputs:
        tensor = message.outputs.add(name=output.name, datatype=output.datatype, shape=output.shape)
        message.raw_output_contents.append(codec.encode(output.data, output.datatype))
        if not raw and output.datatype in _FIELDS:
            _fill(tensor.contents, output)
    return message


def _raw_inputs(received: Request) -> Iterable[Input]:
    """One piece of bytes an input, in their order."""
    pieces, inputs = received.raw, received.message.inputs
    for one in inputs:
        if one.HasField("contents"):
            raise errors.invalid(
                f"input {one.name!r} has contents, and the request has raw_input_contents: use one of the two"
            )
        _refuse_shared_memory(one)
    if len(pieces) != len(inputs):
        raise errors.invalid(
            f"raw_input_contents has {len(pieces)} entries for {len(inputs)} inputs: one is needed for each"
        )
    return [
        Input(one.name, one.datatype, _shape(one), memoryview(piece))
        for one, piece in zip(inputs, pieces, strict=True)
    ]


def _typed_inputs(message: pb.ModelInferRequest) -> Iterable[Input]:
    for one in message.inputs:
        _refuse_shared_memory(one)
        yield Input(one.name, one.datatype, _shape(one), functools.partial(_typed, one))


def _shape(tensor: pb.ModelInferRequest.InferInputTensor) -> tuple[int, ...]:
    if len(tensor.shape) > MAX_AXES:
        raise errors.invalid(
            f"input {tensor.name[:100]!r} has {len(tensor.shape)} axes, and a tensor at most {MAX_AXES}"
        )
    return tuple(tensor.shape)


def _typed(tensor: pb.ModelInferRequest.InferInputTensor) -> Elements:
    field = _FIELDS.get(tensor.datatype)
    if field is None:  # no datatype of this form: the check of the datatype says so
        return ()
    for descriptor, _values in tensor.contents.ListFields():
        if descriptor.name != field:
            raise errors.invalid(f"{tensor.datatype} is sent in {field}, not in {descriptor.name}")
    values = getattr(tensor.contents, field)
    return values if field == "bytes_contents" else _numbers(tensor, values, field)


def _numbers(tensor: pb.ModelInferRequest.InferInputTensor, values: Any, field: str) -> memoryview:
    """The bytes that the values would have had in raw form."""
    count, wanted = len(values), math.prod(tensor.shape)
    if count != wanted:  # before all of them are looked at
        raise errors.invalid(
            f"{field} has {count} elements, and the shape {list(tensor.shape)} has {wanted} elements"
        )
    dtype = codec.DTYPES[tensor.datatype]
    wide = np.fromiter(values, _FIELD_TYPES.get(field, dtype), count=count)
    narrow = wide.astype(dtype, copy=False)
    if narrow is not wide and not np.array_equal(narrow, wide):
        raise errors.invalid(f"{field} has a number that is too large for {tensor.datatype}")
    return narrow.view(np.uint8).data


def _refuse_shared_memory(tensor: pb.ModelInferRequest.InferInputTensor) -> None:
    if "shared_memory_region" in tensor.parameters:
        raise errors.unsupported("shared memory is not offered here")


def _parameters(given: Mapping[str, pb.InferParameter]) -> Parameters:
    return {name: _parameter(name, value) for name, value in given.items()}


def _parameter(name: str, given: pb.InferParameter) -> bool | int | float | str:
    choice = given.WhichOneof("parameter_choice")
    if choice is None:
        raise errors.invalid(f"parameter {name[:100]!r} has no value")
    value: bool | int | float | str = getattr(given, choice)
    return value


def _fill(contents: pb.InferTensorContents, output: Tensor) -> None:
    getattr(contents, _FIELDS[output.datatype]).extend(output.data.ravel().tolist())
