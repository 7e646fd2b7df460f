"""Small honest bundles: a bag of words whose weights are written by hand, as ONNX and tokenizer.json.

Its answers can be computed on paper, it loads in milliseconds, and it can be made slow.
"""

import hashlib
import itertools
import json
import math
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import tokenizers
import yaml
from onnx import TensorProto, helper, numpy_helper

from tests.runtime import graphs

LABELS = ("negative", "positive")
NUMBERED = ("label-0", "label-1", "label-2")

_WEIGHTS = {"good": 2.0, "great": 3.0, "fine": 1.0, "bad": -2.0, "awful": -3.0, "plain": 0.0}
_WORDS = ["[PAD]", "[UNK]", *_WEIGHTS, "undefined", "poison"]
_WIDTH = 256


@dataclass(frozen=True, slots=True)
class BundleOptions:
    """What kind of bundle to make."""

    goldens: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"text": "good", "label": "positive", "score": score("good"), "tolerance": 0.001}
        ]
    )
    max_tokens: int = 128
    work: int = 0  # layers of 256x256 a token: makes it slow without changing its answers
    work_of_run: int = 0  # layers of 256x256 a run, however many rows it has; not together with `work`
    flipped: bool = False  # the same files with opposite answers


def write(directory: pathlib.Path, options: BundleOptions | None = None) -> str:
    """Write a bundle into `directory`. Returns the sha256 of its slipway.yaml."""
    options = options or BundleOptions()
    directory.mkdir(parents=True, exist_ok=True)
    onnx.save(_model(options), directory / "model.onnx")
    _tokenizer().save(str(directory / "tokenizer.json"))
    (directory / "config.json").write_text(json.dumps({"id2label": dict(enumerate(LABELS))}))
    return write_manifest(directory, options)


def write_manifest(directory: pathlib.Path, options: BundleOptions, **changes: Any) -> str:
    """Write slipway.yaml for the files that lie in `directory`; `changes` replace its keys."""
    document = {
        "schemaVersion": 1,
        "task": "text-classification",
        "labels": list(LABELS),
        "inputs": {"maxTokens": options.max_tokens},
        "postprocessing": "softmax",
        "golden": options.goldens,
        **changes,
    }
    return write_document(directory, document)


def write_document(directory: pathlib.Path, document: dict[str, Any]) -> str:
    """`document` with `files` for all that lies there, unless it has its own, as slipway.yaml."""
    files = {path.name: _entry(path) for path in sorted(directory.iterdir()) if path.suffix != ".yaml"}
    text = yaml.safe_dump({"files": files, **document}, sort_keys=False).encode()
    (directory / "slipway.yaml").write_bytes(text)
    return hashlib.sha256(text).hexdigest()


def write_strings(
    directory: pathlib.Path, *, zipmap: bool = False, labels: Sequence[str] = NUMBERED, **changes: Any
) -> str:
    """A text classifier that reads strings itself: the text "1" gets "label-1" with 0.9 (graphs.numbered)."""
    return write_model(
        directory,
        graphs.numbered(labels=len(labels), zipmap=zipmap),
        **{"task": "text-classification", "labels": list(labels), **changes},
    )


def write_simple(directory: pathlib.Path) -> str:
    """Triton's "simple": INPUT0, INPUT1 INT32 [-1, 16] to OUTPUT0 (sum) and OUTPUT1 (difference)."""
    return write_model(directory, graphs.simple())


def write_simple_string(directory: pathlib.Path) -> str:
    """Triton's "simple_string": the same with BYTES, strings of integers."""
    return write_model(directory, graphs.simple_string())


def write_simple_identity(directory: pathlib.Path) -> str:
    """Triton's "simple_identity": INPUT0 BYTES [-1, -1] to OUTPUT0, the same."""
    return write_model(directory, graphs.simple_identity())


def write_multi_label(directory: pathlib.Path, *, threshold: float = 0.5) -> str:
    """The words' model with a sigmoid a label: "good" is positive (0.88) and not negative (0.12)."""
    options = BundleOptions(goldens=[])
    write(directory, options)
    return write_manifest(directory, options, postprocessing="sigmoid", threshold=threshold)


def write_model(directory: pathlib.Path, model: onnx.ModelProto, **changes: Any) -> str:
    """A bundle of `model` and a slipway.yaml, shown as its tensors unless `changes` says otherwise."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.onnx").write_bytes(model.SerializeToString())
    document = {"schemaVersion": 1, "task": "tensors", **changes}
    return write_document(directory, document)


def score(text: str) -> float:
    """The score that the model must give for `text`: softmax of (-w, +w), of the better label."""
    weight = abs(sum(_WEIGHTS.get(word, 0.0) for word in text.split()))
    return 1 / (1 + math.exp(-2 * weight))


def label(text: str) -> str:
    """The label that the model must give for `text`; the first one when nothing speaks for either."""
    return LABELS[int(sum(_WEIGHTS.get(word, 0.0) for word in text.split()) > 0)]


def _entry(path: pathlib.Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _tokenizer() -> tokenizers.Tokenizer:
    vocabulary = {word: index for index, word in enumerate(_WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return tokenizer


def _model(options: BundleOptions) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["scores"]),
        helper.make_node("Cast", ["attention_mask"], ["mask_2d"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask_2d", "last_axis"], ["mask"]),
        helper.make_node("Mul", ["scores", "mask"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "token_axis"], ["sums"], keepdims=0),
        *(_work_of_run(options.work_of_run) or _work(options.work)),
        helper.make_node("Add", ["sums", "nothing"], ["logits"]),
    ]
    constants = {
        "weights": _weights(options),
        "wide": np.zeros((len(_WORDS), _WIDTH), dtype=np.float32),
        "layer": np.eye(_WIDTH, dtype=np.float32),
        "last_axis": np.array([-1], dtype=np.int64),
        "token_axis": np.array([1], dtype=np.int64),
        "all_axes": np.array([0, 1, 2], dtype=np.int64),
        "zero": np.zeros(1, dtype=np.float32),
        **({} if options.work or options.work_of_run else {"nothing": np.zeros(1, dtype=np.float32)}),
    }
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "bag_of_words",
        [_ids("input_ids"), _ids("attention_mask")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(LABELS)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _work(layers: int) -> list[onnx.NodeProto]:
    """`layers` matrix products over every token, whose sum is zero."""
    if not layers:
        return []
    names = [f"hidden_{index}" for index in range(layers + 1)]
    return [
        helper.make_node("Gather", ["wide", "input_ids"], [names[0]]),
        *(
            helper.make_node("MatMul", [one, "layer"], [next_one])
            for one, next_one in itertools.pairwise(names)
        ),
        helper.make_node("ReduceSum", [names[-1], "all_axes"], ["nothing"], keepdims=0),
    ]


def _weights(options: BundleOptions) -> np.ndarray[Any, Any]:
    """One row a word but for "poison", whose id lies beyond the table: it fails the whole run."""
    sign = -1.0 if options.flipped else 1.0
    positive = [0.0, 0.0, *(sign * weight for weight in _WEIGHTS.values()), math.nan]
    return np.array([[-weight, weight] for weight in positive], dtype=np.float32)


def _ids(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "tokens"])


def _work_of_run(layers: int) -> list[onnx.NodeProto]:
    """`layers` products of two matrices, whose sum counts for nothing: they begin with the ids, so that they
    cannot be computed once for all runs."""
    if not layers:
        return []
    names = [f"hidden_{index}" for index in range(layers + 1)]
    return [
        helper.make_node("Gather", ["wide", "input_ids"], ["looked_up"]),
        helper.make_node("ReduceSum", ["looked_up", "all_axes"], ["sum_of_ids"], keepdims=0),
        helper.make_node("Add", ["layer", "sum_of_ids"], [names[0]]),
        *(
            helper.make_node("MatMul", [one, "layer"], [next_one])
            for one, next_one in itertools.pairwise(names)
        ),
        helper.make_node("Mul", [names[-1], "zero"], ["cancelled"]),
        helper.make_node("ReduceSum", ["cancelled"], ["nothing"], keepdims=0),
    ]
