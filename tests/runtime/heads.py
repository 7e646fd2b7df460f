"""Small classifiers whose answers depend on where a text's tokens lie, and what they answer by hand.

Each reads a word's two numbers from a table. Id 0 is a word as any other; what fills up is "fill".
"""

import json
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import tokenizers
from onnx import TensorProto, helper

from tests.runtime import graphs

WORDS = ("zero", "one", "two", "fill", "four", "five", "six")
FILL = WORDS.index("fill")
TABLE = np.array(
    [[4, -4], [1, -1], [-2, 2], [-9, 9], [0.5, 0], [-0.25, 0.5], [40, -60]],
    dtype=np.float32,
)
POSITIONS = np.stack([np.linspace(0, 8, 512), np.linspace(3, -9, 512)], axis=1).astype(np.float32)
KERNEL = np.array([[[1, 2, -1], [0, 1, 0]], [[0, 1, 1], [2, -1, 1]]], dtype=np.float32)

Numbers = np.ndarray[Any, np.dtype[np.float32]]
"""[tokens, 2]: the numbers of a text's words."""


@dataclass(frozen=True, slots=True)
class Head:
    """`nodes` make "logits" of "values" [n, L, 2], "input_ids" and "mask" [n, L, 1].

    `expected` makes them of one text.
    """

    nodes: Sequence[onnx.NodeProto]
    expected: Callable[[Numbers], np.ndarray[Any, Any]]
    constants: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    masked: bool = True

    def model(self) -> onnx.ModelProto:
        ids = (TensorProto.INT64, ("n", "tokens"))
        first = [node("Gather", "table", "input_ids", to="values")]
        if self.masked:
            first.append(node("Cast", "attention_mask", to="real", to_type=TensorProto.FLOAT))
            first.append(node("Unsqueeze", "real", "last", to="mask"))
        nodes = [*first, *self.nodes]
        read = {name for one in nodes for name in one.input}
        constants = {
            "table": TABLE,
            "last": np.array([-1]),
            "tokens": np.array([1]),
            "channels": np.array([2]),
            **self.constants,
        }
        return graphs.graph(
            nodes,
            inputs={"input_ids": ids, **({"attention_mask": ids} if self.masked else {})},
            outputs={"logits": (TensorProto.FLOAT, ("n", 2))},
            constants={name: value for name, value in constants.items() if name in read},
        )


def node(
    operator: str, *inputs: str, to: str, to_type: int | None = None, **attributes: Any
) -> onnx.NodeProto:
    given = attributes if to_type is None else {**attributes, "to": to_type}
    return helper.make_node(operator, list(inputs), to.split(", "), **given)


def _chosen(values: str) -> list[onnx.NodeProto]:
    """Of each row of `values` the position that "place" [n] says."""
    return [
        node("Shape", "input_ids", to="sizes"),
        node("Gather", "sizes", "one", to="width"),
        node("OneHot", "place", "width", "off and on", to="chosen"),
        node("Unsqueeze", "chosen", "last", to="choice"),
        node("Mul", values, "choice", to="kept"),
        node("ReduceSum", "kept", "tokens", to="logits", keepdims=0),
    ]


_CHOICE = {"one": np.array([1]), "off and on": np.array([0, 1], np.float32)}

LAST_TOKEN = Head(
    [
        node("Mul", "values", "mask", to="masked"),
        node("Equal", "input_ids", "padding", to="is padding"),
        node("Not", "is padding", to="is real"),
        node("Cast", "is real", to="real ids", to_type=TensorProto.INT64),
        node("CumSum", "real ids", "along", to="count"),
        node("Mul", "count", "real ids", to="ranks"),
        node("ArgMax", "ranks", to="place", axis=1, keepdims=0),
        *_chosen("masked"),
    ],
    lambda values: values[-1],
    {"padding": np.array(FILL), "along": np.array(1), **_CHOICE},
)
LAST_POSITION = Head(
    [
        node("Mul", "values", "mask", to="masked"),
        node("Gather", "masked", "end", to="logits", axis=1),
    ],
    lambda values: values[-1],
    {"end": np.array(-1)},
)
LAST_NUMBERED_POSITION = Head(
    [
        node("Shape", "input_ids", to="sizes"),
        node("Gather", "sizes", "one", to="width"),
        node("Slice", "positions", "start", "width", to="numbered"),
        node("Add", "values", "numbered", to="placed"),
        node("Mul", "placed", "mask", to="masked"),
        node("Gather", "masked", "end", to="logits", axis=1),
    ],
    lambda values: values[-1] + POSITIONS[len(values) - 1],
    {"end": np.array(-1), "positions": POSITIONS, "start": np.array([0]), "one": np.array([1])},
)
_MEAN = node("ReduceMean", "values", to="logits", axes=[1], keepdims=0)
MEAN = Head([_MEAN], lambda values: values.mean(axis=0), masked=False)
MEAN_BESIDE_A_DEAD_MASK = Head(
    [
        node("Shape", "mask", to="shape"),
        node("ConstantOfShape", "shape", to="zeros"),
        node("Add", "values", "zeros", to="same"),
        node("ReduceMean", "same", to="logits", axes=[1], keepdims=0),
    ],
    lambda values: values.mean(axis=0),
)
CONVOLUTION = Head(
    [
        node("Transpose", "values", to="turned", perm=[0, 2, 1]),
        node("Conv", "turned", "kernel", to="found", kernel_shape=[3], pads=[1, 1]),
        node("ReduceMax", "found", to="logits", axes=[2], keepdims=0),
    ],
    lambda values: _convolved(values).max(axis=0),
    {"kernel": KERNEL},
    masked=False,
)
_QUANTIZED = [
    node("Mul", "values", "mask", to="masked"),
    node("ReduceSum", "masked", "tokens", to="sums", keepdims=0),
    node("DynamicQuantizeLinear", "sums", to="small, scale, zero"),
    node("DequantizeLinear", "small", "scale", "zero", to="logits"),
]
QUANTIZED = Head(_QUANTIZED, lambda values: _quantized(values.sum(axis=0)))


def _convolved(values: Numbers) -> Numbers:
    padded = np.pad(values, ((1, 1), (0, 0)))
    windows = np.stack([padded[place : place + 3] for place in range(len(values))])  # [L, 3, 2]
    return np.asarray(np.einsum("lkc,ock->lo", windows, KERNEL), dtype=np.float32)


def _quantized(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """As ONNX defines DynamicQuantizeLinear, and back."""
    least, most = min(0.0, numbers.min()), max(0.0, numbers.max())
    scale = np.float32((most - least) / 255) or np.float32(1)
    zero = np.clip(np.rint(-least / scale), 0, 255)
    return np.asarray((np.clip(np.rint(numbers / scale) + zero, 0, 255) - zero) * scale)


def softmax(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    powers = np.exp(numbers.astype(np.float64) - numbers.max())
    return np.asarray(powers / powers.sum())


def expected(head: Head, text: str) -> tuple[float, ...]:
    """The scores of `text`, by hand."""
    values = TABLE[[WORDS.index(word) for word in text.split()]]
    return tuple(softmax(head.expected(values)).tolist())


def tokenizer() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="zero")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return made


def write(folder: pathlib.Path, model: onnx.ModelProto, **files: dict[str, Any] | None) -> None:
    """A folder without slipway.yaml; `files` are its documents of JSON by name, without ".json"."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    tokenizer().save(str(folder / "tokenizer.json"))
    documents = {"config": {"id2label": {"0": "no", "1": "yes"}}, **files}
    for name, document in documents.items():
        if document is not None:
            (folder / f"{name}.json").write_text(json.dumps(document))
