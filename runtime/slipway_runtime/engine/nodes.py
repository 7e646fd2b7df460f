"""One node of an ONNX graph, as it lies in the file. Field numbers are those of NodeProto in onnx.proto.

Must not know what a node means.
"""

from typing import NamedTuple

from slipway_runtime.engine import wire


class NodeMessage(NamedTuple):
    """`inputs` and `outputs` are names of values; `attributes` are messages that nobody has read yet."""

    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[memoryview, ...]


def read(message: memoryview) -> NodeMessage:
    """Raises MalformedError."""
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: list[memoryview] = []
    operator = domain = ""
    for number, value in wire.fields(message):
        match number:
            case 1:
                inputs.append(wire.text(value))
            case 2:
                outputs.append(wire.text(value))
            case 4:
                operator = wire.text(value)
            case 5:
                attributes.append(wire.message(value))
            case 7:
                domain = wire.text(value)
    return NodeMessage(operator, domain, tuple(inputs), tuple(outputs), tuple(attributes))
