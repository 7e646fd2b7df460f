"""Which nodes of a graph work for the first position of a sequence alone, whatever else they compute. Pure.

Their values are [rows, positions, features], they do with each position what they would do with it
alone, and nothing but the choice of position 0 comes of the rest of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from slipway_runtime.engine.pruning import ranks
from slipway_runtime.engine.pruning.graph import Graph, Node

_POSITIONS, _FEATURES = 1, 2
_RANK = 3
_OLDEST_OPSET = 13  # before, some of these operators had other attributes
_OF_FEATURES = (-1, _FEATURES)


@dataclass(frozen=True, slots=True)
class Cut:
    """The nodes that are to see the first position only, by their index; the values of which they get it;
    and the values they make, which have one position then.
    """

    nodes: frozenset[int]
    values: frozenset[str]
    made: frozenset[str]


def cut(graph: Graph) -> Cut | None:
    """None when there is nothing worth leaving out, or when it cannot be proved that nothing comes of it."""
    if not graph.simple or graph.opset < _OLDEST_OPSET:
        return None
    known = ranks.of(graph)
    consumers = _consumers(graph)
    chosen: set[int] = set()
    for index in reversed(range(len(graph.nodes))):
        node = graph.nodes[index]
        if _is_apart(node, graph, known) and _only_first_is_read(node, graph, consumers, chosen):
            chosen.add(index)
    if not any(graph.nodes[index].operator == "MatMul" for index in chosen):
        return None
    made = frozenset(name for index in chosen for name in graph.nodes[index].outputs)
    read = frozenset(name for index in chosen for name in _variable(graph.nodes[index], graph))
    return Cut(frozenset(chosen), read - made, made)


def _consumers(graph: Graph) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = {}
    for index, node in enumerate(graph.nodes):
        for name in node.inputs:
            found.setdefault(name, set()).add(index)
    return found


def _variable(node: Node, graph: Graph) -> list[str]:
    return [name for name in node.inputs if name and name not in graph.constants]


def _is_apart(node: Node, graph: Graph, known: Mapping[str, int]) -> bool:
    """Whether it does with each position what it would do with it alone."""
    variable = _variable(node, graph)
    if not variable or any(known.get(name) != _RANK for name in variable):
        return False
    sizes = [graph.constants[name].sizes if name in graph.constants else None for name in node.inputs]
    match node.operator, sizes:
        case operator, [None] if operator in ranks.ELEMENTWISE:
            return True
        case operator, [_, _] if operator in ranks.BROADCASTING:
            return all(one is None or _is_for_features(one) for one in sizes)
        case "MatMul", [None, (_, _)]:
            return True
        case "LayerNormalization", [None, *others] if None not in others:
            return node.number("axis", -1) in _OF_FEATURES
        case "ReduceMean", [None, *_]:
            return _mean_axes(node, graph) in ((-1,), (_FEATURES,))
    return False


def _is_for_features(sizes: tuple[int, ...]) -> bool:
    """Whether a constant of these sizes is the same for all positions, and adds no dimension."""
    return len(sizes) <= _RANK and all(size == 1 for size in sizes[:-1])


def _mean_axes(node: Node, graph: Graph) -> tuple[int, ...]:
    """The axes that a ReduceMean is over: an attribute, and since opset 18 an input."""
    if len(node.inputs) > 1:
        constant = graph.constants.get(node.inputs[1])
        return constant.integers if constant else ()
    return node.numbers.get("axes", ())


def _only_first_is_read(
    node: Node, graph: Graph, consumers: Mapping[str, set[int]], chosen: set[int]
) -> bool:
    if len(node.outputs) != 1 or node.outputs[0] in graph.outputs:
        return False
    name = node.outputs[0]
    readers = consumers.get(name, set())
    return all(index in chosen or _chooses_first(graph.nodes[index], name, graph) for index in readers)


def _chooses_first(node: Node, name: str, graph: Graph) -> bool:
    """Whether it is `name[:, 0]`, with or without the axis."""
    if node.operator != "Gather" or node.inputs[0] != name or node.number("axis", 0) != _POSITIONS:
        return False
    index = graph.constants.get(node.inputs[1])
    return index is not None and index.integers == (0,)
