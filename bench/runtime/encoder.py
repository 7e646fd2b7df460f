"""Transformer encoders with random weights as ONNX: token ids in, three logits out.

Written node by node, as an exporter would write them, so that nothing has to be trained, downloaded
or installed for it. Knows no text.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8
LABELS = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True)
class Shape:
    """How large an encoder is."""

    layers: int
    hidden: int
    heads: int
    inner: int
    vocabulary: int
    positions: int


def build(shape: Shape, *, seed: int = 7) -> ModelProto:
    """input_ids, attention_mask int64 [n, L] to logits float32 [n, 3]; L is at most `shape.positions`."""
    return _Builder(shape, np.random.default_rng(seed)).model()


@dataclass(slots=True)
class _Builder:
    shape: Shape
    chance: np.random.Generator
    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, npt.NDArray[np.generic]] = field(default_factory=dict)

    def model(self) -> ModelProto:
        bias = self._mask()
        hidden = self._embedded()
        for index in range(self.shape.layers):
            hidden = self._layer(f"layer{index}", hidden, bias)
        self._head(hidden)
        graph = helper.make_graph(
            self.nodes,
            "encoder",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "L"])
                for name in ("input_ids", "attention_mask")
            ],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(LABELS)])],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)

    def _mask(self) -> str:
        """0 where there is a word and a very small number where there is padding: [n, 1, 1, L]."""
        axes = self._constant("mask_axes", np.array([1, 2]))
        wide = self._node("Unsqueeze", ["attention_mask", axes])
        real = self._node("Cast", [wide], to=TensorProto.FLOAT)
        absent = self._node("Sub", [self._constant("one", np.float32(1)), real])
        return self._node("Mul", [absent, self._constant("very_small", np.float32(-1e4))])

    def _embedded(self) -> str:
        shape = self.shape
        words = self._node("Gather", [self._weights("words", shape.vocabulary, shape.hidden), "input_ids"])
        places = self._weights("positions", 1, shape.positions, shape.hidden)
        length = self._node("Slice", [self._node("Shape", ["input_ids"]), *self._span("length", 1, 2)])
        start, axis = self._constant("start", np.array([0])), self._constant("axis", np.array([1]))
        near = self._node("Slice", [places, start, length, axis])
        return self._norm("embedding", self._node("Add", [words, near]))

    def _layer(self, name: str, hidden: str, bias: str) -> str:
        seen = self._attention(f"{name}.attention", hidden, bias)
        hidden = self._norm(f"{name}.seen", self._node("Add", [hidden, seen]))
        inner = self._gelu(self._dense(f"{name}.inner", hidden, self.shape.hidden, self.shape.inner))
        outer = self._dense(f"{name}.outer", inner, self.shape.inner, self.shape.hidden)
        return self._norm(f"{name}.done", self._node("Add", [hidden, outer]))

    def _attention(self, name: str, hidden: str, bias: str) -> str:
        width = self.shape.hidden
        query, key, value = (
            self._dense(f"{name}.{part}", hidden, width, width) for part in ("query", "key", "value")
        )
        scores = self._node("MatMul", [self._heads(query, 0, 2, 1, 3), self._heads(key, 0, 2, 3, 1)])
        scale = self._constant("scale", np.float32(np.sqrt(width // self.shape.heads)))
        scores = self._node("Add", [self._node("Div", [scores, scale]), bias])
        shares = self._node("Softmax", [scores], axis=-1)
        mixed = self._node("MatMul", [shares, self._heads(value, 0, 2, 1, 3)])
        together = self._node("Transpose", [mixed], perm=[0, 2, 1, 3])
        flat = self._node("Reshape", [together, self._constant("flat", np.array([0, 0, width]))])
        return self._dense(f"{name}.output", flat, width, width)

    def _heads(self, vectors: str, *order: int) -> str:
        heads = self.shape.heads
        split = self._constant("split", np.array([0, 0, heads, self.shape.hidden // heads]))
        return self._node("Transpose", [self._node("Reshape", [vectors, split])], perm=list(order))

    def _gelu(self, value: str) -> str:
        spread = self._node("Div", [value, self._constant("root_two", np.float32(np.sqrt(2)))])
        lifted = self._node("Add", [self._node("Erf", [spread]), self._constant("one", np.float32(1))])
        return self._node(
            "Mul", [self._node("Mul", [value, lifted]), self._constant("half", np.float32(0.5))]
        )

    def _head(self, hidden: str) -> None:
        first = self._node("Gather", [hidden, self._constant("first", np.array(0))], axis=1)
        pooled = self._node("Tanh", [self._dense("pooler", first, self.shape.hidden, self.shape.hidden)])
        logits = self._dense("head", pooled, self.shape.hidden, len(LABELS))
        self.nodes.append(helper.make_node("Identity", [logits], ["logits"]))

    def _dense(self, name: str, value: str, inward: int, outward: int) -> str:
        product = self._node("MatMul", [value, self._weights(f"{name}.weight", inward, outward)])
        return self._node("Add", [product, self._constant(f"{name}.bias", np.zeros(outward, np.float32))])

    def _norm(self, name: str, value: str) -> str:
        width = self.shape.hidden
        scale = self._constant(f"{name}.scale", np.ones(width, np.float32))
        shift = self._constant(f"{name}.shift", np.zeros(width, np.float32))
        return self._node("LayerNormalization", [value, scale, shift], axis=-1, epsilon=1e-5)

    def _span(self, name: str, first: int, end: int) -> list[str]:
        return [
            self._constant(f"{name}.first", np.array([first])),
            self._constant(f"{name}.end", np.array([end])),
        ]

    def _weights(self, name: str, *shape: int) -> str:
        spread = 1 / np.sqrt(shape[-2] if len(shape) > 1 and "." in name else shape[-1])
        return self._constant(name, self.chance.normal(0, spread, shape).astype(np.float32))

    def _constant(self, name: str, value: npt.NDArray[np.generic] | np.generic) -> str:
        self.constants[name] = np.asarray(value)
        return name

    def _node(self, kind: str, inputs: list[str], **attributes: object) -> str:
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output
