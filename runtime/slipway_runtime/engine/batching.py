"""Whether a row's answer could depend on the rows beside it, as far as its graph tells.

Two things are found: operators that take one scale from the whole batch, and whether an input has any part
in an output, since padding that is not masked counts as text. Reads bytes that `inspection` has passed.
"""

import pathlib
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from slipway_runtime.engine import nodes, wire

_MIXING = {
    "": frozenset({"DynamicQuantizeLinear"}),
    "ai.onnx": frozenset({"DynamicQuantizeLinear"}),
    "com.microsoft": frozenset({"DynamicQuantizeLSTM", "DynamicQuantizeMatMul"}),
}
# They tell how large a value is, whatever is in it.
_SIZES = frozenset({"Shape", "Size"})
# These have no graphs in their attributes, and trees have very many attributes.
_WITHOUT_GRAPHS = frozenset({"ai.onnx.ml", "com.microsoft"})


@dataclass(frozen=True, slots=True)
class _Node:
    """Of a node with graphs within: `reads` has what those read, too."""

    operator: str
    domain: str
    reads: tuple[str, ...]
    gives: tuple[str, ...]


@dataclass(slots=True)
class Finding:
    """`mixing` is an operator that looks at the whole batch, "" when there is none."""

    mixing: str = ""
    _nodes: dict[str, _Node] = field(default_factory=dict)  # by what they give

    def add(self, node: _Node) -> None:
        if node.operator in _MIXING.get(node.domain, ()):
            self.mixing = node.operator

    def connect(self, node: _Node) -> None:
        self._nodes.update({name: node for name in node.gives if name})  # "" is one left out

    def read_by(self, output: str) -> Set[str]:
        """The names of all values that have a part in `output`, inputs of the model among them."""
        found = {output}
        left = [output]
        while left:
            node = self._nodes.get(left.pop())
            if node is None or node.operator in _SIZES:
                continue
            new = set(node.reads) - found
            found |= new
            left += new
        return found


def look(path: pathlib.Path) -> Finding:
    """Raises MalformedError."""
    finding = Finding()
    for number, value in wire.fields(wire.mapped(path)):
        match number:
            case 7:
                for node in _nodes(wire.message(value), 1, finding):
                    finding.connect(node)
            case 25:
                for _ in _nodes(wire.message(value), 7, finding):
                    pass
    return finding


def because(mixing: str) -> str:
    """Why rows run alone, for people."""
    return f"{mixing} takes one scale for all rows of a run; `batched: true` in slipway.yaml allows it"


def _nodes(graph: memoryview, field_number: int, finding: Finding) -> Iterator[_Node]:
    """Those of a graph or, by its field's number, of a function."""
    for number, value in wire.fields(graph):
        if number == field_number:
            node = _node(wire.message(value), finding)
            finding.add(node)
            yield node


def _node(message: memoryview, finding: Finding) -> _Node:
    said = nodes.read(message)
    reads = list(said.inputs)
    if said.domain not in _WITHOUT_GRAPHS:
        for attribute in said.attributes:
            reads += _read_within(attribute, finding)
    return _Node(said.operator, said.domain, tuple(reads), said.outputs)


def _read_within(attribute: memoryview, finding: Finding) -> list[str]:
    """What the graphs of an attribute read, which may be values from outside, and give as they are."""
    found: list[str] = []
    for number, value in wire.fields(attribute):
        if number in (6, 11):
            graph = wire.message(value)
            for node in _nodes(graph, 1, finding):
                found += node.reads
            found += (_name(wire.message(value)) for number, value in wire.fields(graph) if number == 12)
    return found


def _name(message: memoryview) -> str:
    return "".join(wire.text(value) for number, value in wire.fields(message) if number == 1)
