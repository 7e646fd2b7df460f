"""The body of an answer over REST: JSON, with the tensors that were asked for as binary data behind it.

Pure.
"""

from dataclasses import dataclass

import pydantic_core

from slipway_runtime.transport import replies
from slipway_runtime.transport.formalities import VERSION_HEADER
from slipway_runtime.transport.oip import codec, errors
from slipway_runtime.transport.oip.requests import HEADER_LENGTH
from slipway_runtime.transport.oip.values import InferRequest, InferResponse, Tensor
from slipway_runtime.transport.replies import Header

_HEADER_LENGTH = HEADER_LENGTH.lower().encode()
_BINARY = (b"content-type", b"application/octet-stream")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of a route."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = (replies.JSON,)


def json(document: object, status: int = 200, *headers: Header) -> Reply:
    return Reply(status, pydantic_core.to_json(document), (replies.JSON, *headers))


def write(request: InferRequest, response: InferResponse) -> Reply:
    """Each output in the form that `request` asks for. Raises OipError for what JSON cannot carry."""
    version = (VERSION_HEADER, response.version.encode())
    usual = request.parameters.get("binary_data_output") is True
    forms = {one.name: one.parameters.get("binary_data", usual) is True for one in request.outputs}
    behind: list[bytes] = []
    outputs = [_output(one, behind if forms.get(one.name, usual) else None) for one in response.outputs]
    document: dict[str, object] = {"model_name": response.model, "model_version": response.version}
    if response.id:
        document["id"] = response.id
    document["outputs"] = outputs
    text = pydantic_core.to_json(document)
    if not any(forms.get(one.name, usual) for one in response.outputs):
        return Reply(200, text, (replies.JSON, version))
    length = (_HEADER_LENGTH, str(len(text)).encode())
    return Reply(200, b"".join((text, *behind)), (_BINARY, version, length))


def _output(tensor: Tensor, behind: list[bytes] | None) -> dict[str, object]:
    """Its JSON; its data goes to `behind`, where there is one."""
    output: dict[str, object] = {
        "name": tensor.name,
        "datatype": tensor.datatype,
        "shape": tensor.shape,
    }
    if behind is None:
        output["data"] = _values(tensor)
    else:
        behind.append(codec.encode(tensor.data, tensor.datatype))
        output["parameters"] = {"binary_data_size": len(behind[-1])}
    return output


def _values(tensor: Tensor) -> list[object]:
    try:
        return codec.to_values(tensor.data, tensor.datatype)
    except errors.OipError as error:
        raise errors.OipError(error.kind, f"output {tensor.name!r}: {error.message}") from None
