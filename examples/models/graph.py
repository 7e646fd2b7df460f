"""The two models as ONNX: input_ids, attention_mask int64 [n, L] to logits float32 [n, labels].

Knows nothing of sentences or training. The members of a model stand side by side in one graph
(their vectors concatenated, their heads divided by their number), which is the average of their
logits. Words are masked before any pooling, so that padding never shows in the result.
"""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from examples.models.arrays import Parameters, Reals

OPSET, IR_VERSION = 17, 8
_IDS, _MASK, _LOGITS = "input_ids", "attention_mask", "logits"

Members = tuple[Parameters, ...]


def bag(members: Members) -> bytes:
    """Return the bytes of version 1: masked mean of the word vectors, linear head."""
    nodes = [
        *_masked_words(),
        helper.make_node("ReduceSum", ["words", "token_axis"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "token_axis"], ["counted"], keepdims=0),
        helper.make_node("Max", ["counted", "one"], ["count"]),
        helper.make_node("Div", ["sum", "count"], ["features"]),
        *_head(),
    ]
    constants = {**_shared(members), "token_axis": np.array([1]), "one": np.ones(1, np.float32)}
    return _bytes("sentiment-bag", nodes, constants, labels=len(members[0]["bias"]))


def convolution(members: Members, *, width: int) -> bytes:
    """Return the bytes of version 2: filters over `width` words, masked maximum, linear head."""
    beyond = width // 2
    convolve = helper.make_node(
        "Conv",
        ["channels", "filters", "threshold"],
        ["raw"],
        kernel_shape=[width],
        pads=[beyond, beyond],
        group=len(members),
    )
    nodes = [
        *_masked_words(),
        helper.make_node("Transpose", ["words"], ["channels"], perm=[0, 2, 1]),
        convolve,
        helper.make_node("Relu", ["raw"], ["spoken"]),
        helper.make_node("Transpose", ["mask"], ["channel_mask"], perm=[0, 2, 1]),
        helper.make_node("Mul", ["spoken", "channel_mask"], ["answers"]),
        helper.make_node("ReduceMax", ["answers"], ["features"], axes=[2], keepdims=0),
        *_head(),
    ]
    constants = {
        **_shared(members),
        "filters": _real(np.concatenate([_kernel(member["filters"], width) for member in members])),
        "threshold": _real(np.concatenate([member["threshold"] for member in members])),
    }
    return _bytes("sentiment-convolution", nodes, constants, labels=len(members[0]["bias"]))


def _masked_words() -> list[NodeProto]:
    """The mask float32 [n, L, 1], and the words' vectors [n, L, d] with zeros for padding."""
    return [
        helper.make_node("Cast", [_MASK], ["flat_mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["flat_mask", "last_axis"], ["mask"]),
        helper.make_node("Gather", ["embedding", _IDS], ["vectors"], axis=0),
        helper.make_node("Mul", ["vectors", "mask"], ["words"]),
    ]


def _head() -> list[NodeProto]:
    return [helper.make_node("Gemm", ["features", "head", "bias"], [_LOGITS])]


def _shared(members: Members) -> dict[str, np.ndarray]:
    return {
        "embedding": _real(np.concatenate([member["embedding"] for member in members], axis=1)),
        "head": _real(np.concatenate([member["head"] for member in members]) / len(members)),
        "bias": _real(np.mean([member["bias"] for member in members], axis=0)),
        "last_axis": np.array([2]),
    }


def _kernel(filters: Reals, width: int) -> Reals:
    """From the training side's [w * d, f] to what Conv wants, [f, d, w]."""
    return filters.reshape(width, -1, filters.shape[1]).transpose(2, 1, 0)


def _real(values: Reals) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)


def _bytes(name: str, nodes: list[NodeProto], constants: dict[str, np.ndarray], *, labels: int) -> bytes:
    graph = helper.make_graph(
        nodes,
        name,
        inputs=[helper.make_tensor_value_info(key, TensorProto.INT64, ["n", "L"]) for key in (_IDS, _MASK)],
        outputs=[helper.make_tensor_value_info(_LOGITS, TensorProto.FLOAT, ["n", labels])],
        initializer=[numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    model: ModelProto = helper.make_model(
        graph,
        producer_name="slipway-examples",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))
