"""What of an ONNX graph a decision about its shapes rests on. Field numbers are those of onnx.proto.

Reads bytes that `inspection` has passed; tensors' values only where they are a few integers.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway_runtime.engine import nodes, wire

_INT64 = 7
_FEW_BYTES = 8 * 8
_DEFAULT_DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor of the file: its sizes, and its elements where they are a few int64, else ()."""

    sizes: tuple[int, ...]
    integers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One operator; its name is "" when it is of another domain. `numbers` are its attributes of integers."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: Mapping[str, tuple[int, ...]]

    def number(self, name: str, default: int) -> int:
        return self.numbers.get(name, (default,))[0]


@dataclass(slots=True)
class Graph:
    """A model's graph. `ranks` has the inputs that say how many dimensions they have.

    `simple`: there is no function and no graph in a node, which could mean values from outside.
    """

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    outputs: set[str] = field(default_factory=set)
    opset: int = 0
    simple: bool = True


def read(model: memoryview) -> Graph:
    """Raises MalformedError."""
    graph, graphs = Graph(), 0
    for number, value in wire.fields(model):
        match number:
            case 7:
                graphs += 1
                _read_graph(wire.message(value), graph)
            case 8:
                domain, version = _opset(wire.message(value))
                if domain in _DEFAULT_DOMAINS:
                    graph.opset = version
            case 25:
                graph.simple = False
    graph.simple = graph.simple and graphs == 1
    return graph


def _opset(message: memoryview) -> tuple[str, int]:
    domain, version = "", 0
    for number, value in wire.fields(message):
        match number:
            case 1:
                domain = wire.text(value)
            case 2 if isinstance(value, int):
                version = value
    return domain, version


def _read_graph(message: memoryview, graph: Graph) -> None:
    replaceable: set[str] = set()
    for number, value in wire.fields(message):
        match number:
            case 1:
                _add_node(wire.message(value), graph)
            case 5:
                name, constant = _tensor(wire.message(value))
                graph.constants[name] = constant
            case 11:
                name, rank = _named_rank(wire.message(value))
                replaceable.add(name)
                if rank is not None:
                    graph.ranks[name] = rank
            case 12:
                graph.outputs.add(_named_rank(wire.message(value))[0])
    for name in replaceable & graph.constants.keys():  # a default, which a request may replace
        del graph.constants[name]


def _add_node(message: memoryview, graph: Graph) -> None:
    operator, domain, inputs, outputs, attributes = nodes.read(message)
    numbers: dict[str, tuple[int, ...]] = {}
    if domain not in _DEFAULT_DOMAINS:
        # None of those that are served has a graph, and trees have many numbers.
        graph.nodes.append(Node("", inputs, outputs, numbers))
        return
    for attribute in attributes:
        constant = _attribute(attribute, numbers, graph)
        if operator == "Constant" and constant is not None:
            graph.constants[outputs[0]] = constant
    graph.nodes.append(Node(operator, inputs, outputs, numbers))


def _attribute(message: memoryview, numbers: dict[str, tuple[int, ...]], graph: Graph) -> Constant | None:
    found: list[int] = []
    name, constant = "", None
    for number, value in wire.fields(message):
        match number:
            case 1:
                name = wire.text(value)
            case 3 | 8:
                found += map(_signed, wire.varints(value))
            case 5:
                constant = _tensor(wire.message(value))[1]
            case 6 | 11:
                graph.simple = False
    if found:
        numbers[name] = tuple(found)
    return constant


def _tensor(message: memoryview) -> tuple[str, Constant]:
    sizes: list[int] = []
    integers: list[int] = []
    name, kind, raw = "", 0, memoryview(b"")
    for number, value in wire.fields(message):
        match number:
            case 1:
                sizes += map(_signed, wire.varints(value))
            case 2 if isinstance(value, int):
                kind = value
            case 7 if isinstance(value, int) or len(value) <= _FEW_BYTES:
                integers += map(_signed, wire.varints(value))
            case 8:
                name = wire.text(value)
            case 9:
                raw = wire.message(value)
    if kind == _INT64 and 0 < len(raw) <= _FEW_BYTES and len(raw) % 8 == 0:
        integers = list(struct.unpack(f"<{len(raw) // 8}q", raw))
    whole = kind == _INT64 and len(integers) == math.prod(sizes)
    return name, Constant(tuple(sizes), tuple(integers) if whole else ())


def _named_rank(message: memoryview) -> tuple[str, int | None]:
    """A value's name, and how many dimensions its type says it has: ValueInfoProto."""
    name, rank = "", None
    for number, value in wire.fields(message):
        match number:
            case 1:
                name = wire.text(value)
            case 2:
                for shape in _within(wire.message(value), 1, 2):
                    rank = sum(1 for inner, _ in wire.fields(shape) if inner == 1)
    return name, rank


def _within(message: memoryview, *path: int) -> list[memoryview]:
    """The messages that lie on `path`, which is the numbers of the fields from the outermost on."""
    found = [message]
    for step in path:
        found = [
            wire.message(value) for outer in found for number, value in wire.fields(outer) if number == step
        ]
    return found


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number
