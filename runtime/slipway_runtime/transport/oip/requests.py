"""The body of an inference over REST: JSON, JSON in front of binary tensors, or one raw tensor.

Reads what the body says and cuts it into parts; whether the model wants any of it is checked later.
Pure.
"""

from slipway_runtime.engine.model import Signature, TensorSpec
from slipway_runtime.transport import documents
from slipway_runtime.transport.documents import Document
from slipway_runtime.transport.limits import MAX_JSON_BYTES
from slipway_runtime.transport.oip import codec, errors
from slipway_runtime.transport.oip.bodies import InferRequestBody, InputBody
from slipway_runtime.transport.oip.errors import Kind, OipError
from slipway_runtime.transport.oip.values import Content, InferRequest, Input, RequestedOutput

HEADER_LENGTH = "Inference-Header-Content-Length"

_BINARY_SIZE = "binary_data_size"
_BODY = Document(InferRequestBody)


def parse(raw: bytes | bytearray, *, header: bytes | None, model: str, version: str) -> InferRequest:
    """The request in `raw`; `header` is the value of Inference-Header-Content-Length. Raises OipError."""
    view = memoryview(raw)
    size = len(view) if header is None else _header_length(header, len(view))
    if size > MAX_JSON_BYTES:
        raise OipError(
            Kind.TOO_LARGE,
            f"the JSON is larger than {MAX_JSON_BYTES} bytes: send tensors as binary data behind it",
        )
    body = _read(view[:size])
    return InferRequest(
        model=model,
        version=version,
        inputs=_inputs(body.inputs, view[size:]),
        outputs=tuple(RequestedOutput(output.name, output.parameters) for output in body.outputs),
        id=body.id,
        parameters=body.parameters,
    )


def parse_raw(raw: bytes | bytearray, signature: Signature, *, model: str, version: str) -> InferRequest:
    """A body that is nothing but the one tensor of a model with one input. Raises OipError.

    Its shape follows from its length; of BYTES it is the one element itself, without a length.
    """
    if len(signature.inputs) != 1:
        raise errors.invalid(
            f"a raw body is for a model with one input, and this one has {len(signature.inputs)}"
        )
    spec = signature.inputs[0]
    content: Content = [bytes(raw)] if spec.datatype == "BYTES" else memoryview(raw)
    shape = _raw_shape(spec, len(raw))
    return InferRequest(
        model=model,
        version=version,
        inputs=(Input(spec.name, spec.datatype, shape, content),),
        parameters={"binary_data_output": True},
    )


def _header_length(header: bytes, size: int) -> int:
    if not header.isdigit() or len(header) > 18:
        raise errors.invalid(f"{HEADER_LENGTH}: it is a number of bytes")
    length = int(header)
    if length > size:
        raise errors.invalid(f"{HEADER_LENGTH}: it is {length}, and the body has {size} bytes only")
    return length


def _read(text: memoryview) -> InferRequestBody:
    try:
        return _BODY.read(bytes(text))
    except (documents.NotJsonError, documents.InvalidError) as error:
        raise errors.invalid(str(error)) from error


def _inputs(bodies: list[InputBody], behind: memoryview) -> tuple[Input, ...]:
    """The tensors with their data, of which the binary ones stand in `behind` in the same order."""
    inputs = []
    for body in bodies:
        size = body.parameters.get(_BINARY_SIZE)
        if size is None:
            content: Content = _listed(body)
        else:
            content = _cut(body, size, behind)
            behind = behind[len(content) :]
        inputs.append(Input(body.name, body.datatype, tuple(body.shape), content))
    if len(behind):
        raise errors.invalid(f"{len(behind)} bytes stand behind the last of the binary tensors")
    return tuple(inputs)


def _listed(body: InputBody) -> list[object]:
    if "shared_memory_region" in body.parameters:
        raise errors.unsupported("shared memory is not offered here")
    if not isinstance(body.data, list):
        raise errors.invalid(f"input {body.name!r}: it has neither a list of data nor a {_BINARY_SIZE}")
    return body.data


def _cut(body: InputBody, size: object, behind: memoryview) -> memoryview:
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise errors.invalid(f"input {body.name!r}: {_BINARY_SIZE} is a number of bytes")
    if body.data is not None:
        raise errors.invalid(f"input {body.name!r}: it has both data and a {_BINARY_SIZE}")
    if size > len(behind):
        raise errors.invalid(
            f"input {body.name!r}: {_BINARY_SIZE} is {size}, and {len(behind)} bytes are left of the body"
        )
    return behind[:size]


def _raw_shape(spec: TensorSpec, size: int) -> tuple[int, ...]:
    variable = spec.shape.count(-1)
    if spec.datatype == "BYTES":
        return tuple(1 if length == -1 else length for length in spec.shape)
    fixed = codec.DTYPES[spec.datatype].itemsize
    for length in spec.shape:
        fixed *= 1 if length == -1 else length
    if variable > 1 or fixed == 0 or size % fixed:
        raise errors.invalid(
            f"the shape of input {spec.name!r}, {list(spec.shape)}, does not follow from {size} bytes"
        )
    return tuple(size // fixed if length == -1 else length for length in spec.shape)
