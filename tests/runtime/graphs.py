"""Small ONNX models of other forms: what stock clients expect of a server, and pipelines that read strings.

The three "simple" ones are those that Triton's own example clients ask for, by name and by tensors.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]


def graph(
    nodes: Sequence[onnx.NodeProto],
    *,
    inputs: Mapping[str, tuple[int, Shape]],
    outputs: Mapping[str, tuple[int, Shape]],
    constants: Mapping[str, np.ndarray[Any, Any]] | None = None,
    domains: Mapping[str, int] | None = None,
) -> onnx.ModelProto:
    """A model of `nodes`; inputs and outputs are {name: (element type, shape)}."""
    made = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, *put) for name, put in inputs.items()],
        [helper.make_tensor_value_info(name, *put) for name, put in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid(name, version) for name, version in {"": 17, **(domains or {})}.items()]
    return helper.make_model(made, opset_imports=opsets, ir_version=9)


def simple() -> onnx.ModelProto:
    """INPUT0, INPUT1 INT32 [-1, 16] to OUTPUT0, their sum, and OUTPUT1, their difference."""
    put = (TensorProto.INT32, ("n", 16))
    return graph(
        [
            helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
            helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"]),
        ],
        inputs={"INPUT0": put, "INPUT1": put},
        outputs={"OUTPUT0": put, "OUTPUT1": put},
    )


def simple_string() -> onnx.ModelProto:
    """The same with BYTES: strings of integers in and out."""
    put = (TensorProto.STRING, ("n", 16))
    return graph(
        [
            *(helper.make_node("Cast", [f"INPUT{i}"], [f"in{i}"], to=TensorProto.INT32) for i in (0, 1)),
            helper.make_node("Add", ["in0", "in1"], ["out0"]),
            helper.make_node("Sub", ["in0", "in1"], ["out1"]),
            *(helper.make_node("Cast", [f"out{i}"], [f"OUTPUT{i}"], to=TensorProto.STRING) for i in (0, 1)),
        ],
        inputs={"INPUT0": put, "INPUT1": put},
        outputs={"OUTPUT0": put, "OUTPUT1": put},
    )


def simple_identity() -> onnx.ModelProto:
    """INPUT0 BYTES [-1, -1] to OUTPUT0, the same."""
    put = (TensorProto.STRING, ("n", "m"))
    return graph(
        [helper.make_node("Identity", ["INPUT0"], ["OUTPUT0"])],
        inputs={"INPUT0": put},
        outputs={"OUTPUT0": put},
    )


def total() -> onnx.ModelProto:
    """values FP32 [-1] to total FP32 [], their sum: no rows, so nothing to mix."""
    return graph(
        [helper.make_node("ReduceSum", ["values"], ["total"], keepdims=0)],
        inputs={"values": (TensorProto.FLOAT, ("n",))},
        outputs={"total": (TensorProto.FLOAT, ())},
    )


def long_to_load(additions: int) -> onnx.ModelProto:
    """values FP32 [-1, 1] to answer, many times that: each of the additions is looked at."""
    names = ["values", *(f"sum_{index}" for index in range(1, additions)), "answer"]
    return graph(
        [helper.make_node("Add", [before, "values"], [after]) for before, after in itertools.pairwise(names)],
        inputs={"values": (TensorProto.FLOAT, ("n", 1))},
        outputs={"answer": (TensorProto.FLOAT, ("n", 1))},
    )


def counter() -> onnx.ModelProto:
    """steps INT64 [] to count INT64 []: a loop of `steps` turns, for runs that must be ended."""
    turn = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["still"]),
            helper.make_node("Add", ["before", "one"], ["after"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("index", TensorProto.INT64, ()),
            helper.make_tensor_value_info("going", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("before", TensorProto.INT64, ()),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("after", TensorProto.INT64, ()),
        ],
    )
    return graph(
        [helper.make_node("Loop", ["steps", "yes", "zero"], ["count"], body=turn)],
        inputs={"steps": (TensorProto.INT64, ())},
        outputs={"count": (TensorProto.INT64, ())},
        constants={"yes": np.ones((), dtype=bool), "zero": np.array(0), "one": np.array(1)},
    )


def numbered(*, labels: int, zipmap: bool = False, column: bool = True) -> onnx.ModelProto:
    """As skl2onnx writes text pipelines: `strings` to `label` and `probabilities`.

    A text "0" … is the number of its label: its probability is 0.9, the rest share the others.
    `zipmap` gives the probabilities as a sequence of maps, as skl2onnx does unless it is told not to.
    """
    table = np.full((labels, labels), 0.1 / max(1, labels - 1), dtype=np.float32)
    np.fill_diagonal(table, 0.9)
    nodes = [
        helper.make_node("Cast", ["strings"], ["given"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["given", "flat"], ["label"]),
        helper.make_node("Gather", ["table", "label"], ["probabilities" if not zipmap else "columns"]),
    ]
    if zipmap:
        names = [f"label-{index}" for index in range(labels)]
        nodes.append(
            helper.make_node(
                "ZipMap", ["columns"], ["probabilities"], domain="ai.onnx.ml", classlabels_strings=names
            )
        )
    made = graph(
        nodes,
        inputs={"strings": (TensorProto.STRING, ("n", 1) if column else ("n",))},
        outputs={"label": (TensorProto.INT64, ("n",)), "probabilities": (TensorProto.FLOAT, ("n", labels))},
        constants={"table": table, "flat": np.array([-1])},
        domains={"ai.onnx.ml": 3},
    )
    if zipmap:
        value = helper.make_map_type_proto(
            TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, None)
        )
        made.graph.output[1].type.CopyFrom(helper.make_sequence_type_proto(value))
    return made
