"""A model's bytes with the first position chosen earlier. Pure; copies nothing but the nodes that change."""

from collections.abc import Iterator, Mapping

from slipway_runtime.engine import wire
from slipway_runtime.engine.pruning import graph, positions
from slipway_runtime.engine.pruning.positions import Cut
from slipway_runtime.engine.pruning.streaming import Chunks

_MARK = "slipway.pruning:"  # a name that a model has too makes it fail to load, and it is loaded as it is
_FIRST = _MARK + "first"
_NODE, _GRAPH, _SHAPE = 1, 7, 13


def pruned(model: memoryview) -> Chunks | None:
    """The bytes of the model that computes the same with less, in parts; None to leave it as it is.

    Raises MalformedError.
    """
    cut = positions.cut(graph.read(model))
    return None if cut is None else list(_model(model, cut))


def _model(model: memoryview, cut: Cut) -> Iterator[bytes | memoryview]:
    for number, value, start, end in wire.spans(model):
        if number != _GRAPH:
            yield model[start:end]
            continue
        parts = list(_graph(wire.message(value), cut))
        yield wire.write_header(_GRAPH, sum(map(len, parts)))
        yield from parts


def _graph(message: memoryview, cut: Cut) -> Iterator[bytes | memoryview]:
    yield wire.write_bytes(5, _zero())
    waiting, index = set(cut.values), 0
    renamed = {name: f"{_MARK}{name}" for name in cut.values}
    for number, value, start, end in wire.spans(message):
        if number == _SHAPE and _name(wire.message(value)) in cut.made:
            continue  # it says how many positions there were, and onnxruntime would plan its memory by it
        if number != _NODE:
            yield message[start:end]
            continue
        if index in cut.nodes:
            node = wire.message(value)
            for name in _inputs(node):
                if name in waiting:
                    waiting.remove(name)
                    yield wire.write_bytes(_NODE, _choice(name, renamed[name]))
            yield wire.write_bytes(_NODE, b"".join(_node(node, renamed)))
        else:
            yield message[start:end]
        index += 1


def _name(shape: memoryview) -> str:
    """Whose shape it is: ValueInfoProto."""
    return next((wire.text(value) for number, value in wire.fields(shape) if number == 1), "")


def _inputs(node: memoryview) -> list[str]:
    return [wire.text(value) for number, value in wire.fields(node) if number == 1]


def _node(node: memoryview, renamed: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    for number, value, start, end in wire.spans(node):
        name = renamed.get(wire.text(value)) if number == 1 else None
        yield node[start:end] if name is None else wire.write_bytes(1, name.encode())


def _zero() -> bytes:
    """TensorProto: an int64 [1] that is 0."""
    first = wire.write_bytes(8, _FIRST.encode())
    return wire.write_number(1, 1) + wire.write_number(2, 7) + first + wire.write_bytes(9, bytes(8))


def _choice(name: str, result: str) -> bytes:
    """NodeProto: `result` = the first position of `name`, which stays an axis: Gather along axis 1."""
    axis = wire.write_bytes(1, b"axis") + wire.write_number(3, 1) + wire.write_number(20, 2)
    texts = ((1, name), (1, _FIRST), (2, result), (3, result), (4, "Gather"))
    fields = [wire.write_bytes(number, text.encode()) for number, text in texts]
    return b"".join([*fields, wire.write_bytes(5, axis)])
