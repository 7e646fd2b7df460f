"""How many dimensions each value of a graph has, where its operators prove it. Pure.

Exporters write shapes beside a graph too; those are claims, and are not read.
"""

from collections.abc import Mapping

from slipway_runtime.engine.pruning.graph import Graph, Node

ELEMENTWISE = frozenset(
    ("Cast", "Erf", "Gelu", "HardSwish", "Identity", "LeakyRelu", "Relu", "Sigmoid", "Sqrt", "Tanh")
)
BROADCASTING = frozenset(("Add", "Div", "Mul", "Pow", "Sub"))
_OF_THE_FIRST = ELEMENTWISE | {"Clip", "Dropout", "LayerNormalization", "Slice", "Softmax", "Transpose"}


def of(graph: Graph) -> dict[str, int]:
    """The values' ranks by their names; what cannot be proved is not in it."""
    ranks = {**graph.ranks, **{name: len(constant.sizes) for name, constant in graph.constants.items()}}
    lengths = {
        name: constant.sizes[0] for name, constant in graph.constants.items() if len(constant.sizes) == 1
    }
    for node in graph.nodes:  # which stand in the order of their computation
        if not node.outputs or node.outputs[0] in ranks:
            continue
        rank = _rank(node, ranks, lengths)
        if rank is not None:
            ranks[node.outputs[0]] = rank
        length = _length(node, ranks, lengths)
        if length is not None:
            lengths[node.outputs[0]] = length
    return ranks


def _rank(node: Node, ranks: Mapping[str, int], lengths: Mapping[str, int]) -> int | None:
    known = [ranks.get(name) for name in node.inputs]
    match node.operator, known:
        case operator, [int(first), *_] if operator in _OF_THE_FIRST:
            return first
        case operator, [int(first), int(second)] if operator in BROADCASTING:
            return max(first, second)
        case "MatMul", [int(first), int(second)] if min(first, second) > 1:
            return max(first, second)
        case "Gather", [int(first), int(second)]:
            return first + second - 1
        case "Reshape", [_, 1]:
            return lengths.get(node.inputs[1])
        case "Unsqueeze", [int(first), 1] if node.inputs[1] in lengths:
            return first + lengths[node.inputs[1]]
        case "Concat" | "ReduceMean", [int(first), *_] if node.number("keepdims", 1):
            return first
        case "Shape", _:
            return 1
    return None


def _length(node: Node, ranks: Mapping[str, int], lengths: Mapping[str, int]) -> int | None:
    """How many elements a vector has: exporters put the new shape of a Reshape together from numbers."""
    if ranks.get(node.outputs[0]) != 1:
        return None
    match node.operator:
        case "Concat":
            parts = [lengths.get(name) for name in node.inputs]
            return None if None in parts else sum(part for part in parts if part is not None)
        case "Unsqueeze":
            return 1
        case "Cast" | "Identity":
            return lengths.get(node.inputs[0])
        case "Shape" if not node.numbers:
            return ranks.get(node.inputs[0])
    return None
