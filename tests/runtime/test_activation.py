"""A bundle is served as the files beside its model say, those that transformers writes and reads."""

import functools
import math
import pathlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from slipway_runtime.failures import Reason, StartupError
from tests.runtime import bundles, graphs, heads, models, processes

LOGITS = np.array(
    [[4, -4, 0.5], [1, -1, 2], [-2, 2, -3], [0, 0, 0], [0.5, 0, 1], [-3.5, 0.5, 0], [40, -60, 7]]
)
FILL = {"pad_token": "fill"}
TEXT = "one five"  # its sum is -2.5, -0.5, 2
IDENTITY = "torch.nn.modules.linear.Identity"
SIGMOID = "torch.nn.modules.activation.Sigmoid"
SEVERAL = {"problem_type": "multi_label_classification"}


def _head(count: int) -> onnx.ModelProto:
    """The sums of the words' numbers, so many of them."""
    put = (TensorProto.INT64, ("n", "tokens"))
    return graphs.graph(
        [
            heads.node("Gather", "table", "input_ids", to="values"),
            heads.node("Cast", "attention_mask", to="real", to_type=TensorProto.FLOAT),
            heads.node("Unsqueeze", "real", "last", to="mask"),
            heads.node("Mul", "values", "mask", to="masked"),
            heads.node("ReduceSum", "masked", "tokens", to="logits", keepdims=0),
        ],
        inputs={"input_ids": put, "attention_mask": put},
        outputs={"logits": (TensorProto.FLOAT, ("n", count))},
        constants={
            "table": LOGITS[:, :count].astype(np.float32),
            "last": np.array([-1]),
            "tokens": np.array([1]),
        },
    )


def _sigmoid(*numbers: float) -> tuple[float, ...]:
    return tuple(1 / (1 + math.exp(-number)) for number in numbers)


def _softmax(*numbers: float) -> tuple[float, ...]:
    return tuple(heads.softmax(np.array(numbers)).tolist())


@dataclass(frozen=True, slots=True)
class Case:
    """What the files say, and the scores and labels of TEXT; `manifest` is None without slipway.yaml."""

    count: int
    config: dict[str, Any]
    scores: tuple[float, ...]
    labels: tuple[str, ...]
    manifest: dict[str, Any] | None = None


CASES = {
    "one label": Case(1, {}, _sigmoid(-2.5), ("L0",)),
    "one label and a manifest": Case(1, {}, _sigmoid(-2.5), ("L0",), {}),
    "one label that the manifest names": Case(1, {}, _sigmoid(-2.5), ("high",), {"labels": ["high"]}),
    "one label of a single label model": Case(
        1, {"problem_type": "single_label_classification"}, _sigmoid(-2.5), ("L0",)
    ),
    "a regression": Case(1, {"problem_type": "regression"}, (-2.5,), ("L0",)),
    "a regression and a manifest": Case(1, {"problem_type": "regression"}, (-2.5,), ("L0",), {}),
    "a regression of two": Case(2, {"problem_type": "regression"}, (-2.5, -0.5), ("L1",)),
    "two labels": Case(2, {}, _softmax(-2.5, -0.5), ("L1",)),
    "two labels and a manifest": Case(2, {}, _softmax(-2.5, -0.5), ("L1",), {}),
    "several may apply": Case(3, SEVERAL, _sigmoid(-2.5, -0.5, 2), ("L2",)),
    "several may apply, and a manifest": Case(3, SEVERAL, _sigmoid(-2.5, -0.5, 2), ("L2",), {}),
    "several may apply, and a manifest that is complete": Case(
        3,
        SEVERAL,
        _sigmoid(-2.5, -0.5, 2),
        ("b", "c"),
        {"labels": ["a", "b", "c"], "inputs": {"maxTokens": 8}, "threshold": 0.3},
    ),
    "a manifest that says otherwise by name": Case(
        3, SEVERAL, _softmax(-2.5, -0.5, 2), ("L2",), {"postprocessing": "softmax"}
    ),
    "a manifest that leaves one number as it is": Case(1, {}, (-2.5,), ("L0",), {"postprocessing": "none"}),
    "a cross-encoder without an activation": Case(
        1, {"sentence_transformers": {"activation_fn": IDENTITY}}, (-2.5,), ("L0",)
    ),
    "an older cross-encoder without an activation": Case(
        1, {"sbert_ce_default_activation_function": IDENTITY}, (-2.5,), ("L0",)
    ),
    "a cross-encoder with a sigmoid": Case(
        1,
        {"sentence_transformers": {"activation_fn": SIGMOID}, "problem_type": "regression"},
        _sigmoid(-2.5),
        ("L0",),
    ),
    "a cross-encoder of several labels": Case(
        2, {"sentence_transformers": {"activation_fn": IDENTITY}}, _softmax(-2.5, -0.5), ("L1",)
    ),
    "another activation that the manifest replaces": Case(
        1,
        {"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Tanh"}},
        _sigmoid(-2.5),
        ("L0",),
        {"postprocessing": "sigmoid"},
    ),
}


def _write(case: Case, folder: pathlib.Path) -> None:
    labels = {"id2label": {str(index): f"L{index}" for index in range(case.count)}}
    heads.write(folder, _head(case.count), tokenizer_config=FILL, config={**labels, **case.config})
    if case.manifest is not None:
        bundles.write_document(folder, {"schemaVersion": 1, "task": "text-classification", **case.manifest})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_numbers_become_scores_as_the_head_was_trained(tmp_path: pathlib.Path, case: Case) -> None:
    [got] = models.classify(models.load(tmp_path, functools.partial(_write, case)), TEXT)

    assert got.scores == pytest.approx(case.scores, abs=1e-6)
    assert got.labels == case.labels
    assert got.score == max(got.scores)


@pytest.mark.parametrize(
    ("config", "manifest", "says"),
    [
        (
            {"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Tanh"}},
            None,
            "the activation of config.json is torch.nn.modules.activation.Tanh, which is not followed",
        ),
        ({}, {"postprocessing": "softmax"}, "softmax of one label is always 1"),
    ],
    ids=["an activation that is not followed", "softmax of one label"],
)
def test_what_would_be_a_wrong_score_is_refused(
    tmp_path: pathlib.Path, config: dict[str, Any], manifest: dict[str, Any] | None, says: str
) -> None:
    case = Case(1, config, (), (), manifest)

    with pytest.raises(StartupError, match=says) as caught:
        models.load(tmp_path, functools.partial(_write, case))

    assert caught.value.reason is Reason.BUNDLE_INVALID


def test_a_number_beyond_one_is_answered_and_verified(tmp_path: pathlib.Path) -> None:
    """By the whole server: golden examples, an example of the owner, and both versions of the interface."""
    goldens = [
        {"text": "six", "label": "L0", "score": 40, "tolerance": 0.001},
        {"text": TEXT, "label": "L0", "score": -2.5, "tolerance": 0.001},
    ]
    case = Case(1, {"problem_type": "regression"}, (), (), {"golden": goldens})
    _write(case, tmp_path / "bundle")
    examples = '[{"text": "two", "label": "L0"}, {"text": "six", "label": "L0", "minScore": 0.9}]'

    with processes.running(
        tmp_path / "run", tmp_path / "bundle", SLIPWAY_VERIFICATION_EXAMPLES=examples
    ) as process:
        first, second = process.predict("six", TEXT).json()["predictions"]

    assert (first["score"], second["score"]) == (40, -2.5)


@dataclass(frozen=True, slots=True)
class Cut:
    """What the files say about the length, and what is left of "six one two five four"."""

    left: str
    tokenizer_config: dict[str, Any] | None = None
    own: dict[str, Any] | None = None  # what tokenizer.json says itself
    config: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] | None = None


NO_BOUND = 1000000000000000019884624838656
CUT = {
    "by tokenizer_config.json": Cut("six one two", {"model_max_length": 3}),
    "by tokenizer_config.json as it was": Cut("six one two", {"max_len": 3}),
    "on the left": Cut("two five four", {"model_max_length": 3, "truncation_side": "left"}),
    "not by 10^30": Cut("six one two five four", {"model_max_length": NO_BOUND}),
    "by tokenizer.json": Cut("six one", {"model_max_length": NO_BOUND}, {"max_length": 2}),
    "by tokenizer_config.json before tokenizer.json": Cut(
        "six one two",
        {"model_max_length": 3, "truncation_side": "right"},
        {"max_length": 2, "direction": "left"},
    ),
    "on the side that tokenizer.json names": Cut("five four", {}, {"max_length": 2, "direction": "left"}),
    "by the positions, which are fewer": Cut(
        "six one", {"model_max_length": 3}, config={"max_position_embeddings": 2}
    ),
    "by slipway.yaml before them all": Cut(
        "six one two five", {"model_max_length": 3}, manifest={"inputs": {"maxTokens": 4}}
    ),
}


@pytest.mark.parametrize("case", CUT.values(), ids=CUT.keys())
def test_a_text_is_cut_where_transformers_would_cut_it(tmp_path: pathlib.Path, case: Cut) -> None:
    def write(folder: pathlib.Path) -> None:
        config = {"id2label": {"0": "L0"}, **case.config}
        said = None if case.tokenizer_config is None else {**FILL, **case.tokenizer_config}
        heads.write(folder, _head(1), tokenizer_config=said, config=config)
        if case.own is not None:
            tokenizer = heads.tokenizer()
            tokenizer.enable_truncation(**case.own)
            tokenizer.save(str(folder / "tokenizer.json"))
        if case.manifest is not None:
            bundles.write_document(
                folder, {"schemaVersion": 1, "task": "text-classification", **case.manifest}
            )

    model = models.load(tmp_path, write)
    [row] = model.encode(["six one two five four"])

    assert " ".join(heads.WORDS[index] for index in row.values[0]) == case.left


TEXTLESS: dict[str, dict[str, Any]] = {
    "architectures": {"architectures": ["BertForSequenceClassification"]},
    "labels": {"id2label": {"0": "no", "1": "yes"}},
}


@pytest.mark.parametrize("config", TEXTLESS.values(), ids=TEXTLESS.keys())
def test_a_folder_that_promises_labels_and_has_no_tokenizer_is_refused(
    tmp_path: pathlib.Path, config: dict[str, Any]
) -> None:
    def write(folder: pathlib.Path) -> None:
        heads.write(folder, _head(2), config=config)
        (folder / "tokenizer.json").unlink()
        (folder / "vocab.txt").write_text("[PAD]\n")

    with pytest.raises(StartupError, match=r"AutoTokenizer.*task: tensors") as caught:
        models.load(tmp_path, write)

    assert (caught.value.reason, caught.value.subject) == (Reason.BUNDLE_INVALID, "tokenizer.json")


SERVED = {
    "a manifest says tensors": (_head(2), TEXTLESS["architectures"], {"task": "tensors"}),
    "the head is of another kind": (
        _head(2),
        {"architectures": ["BertForTokenClassification"], **TEXTLESS["labels"]},
        None,
    ),
    "it reads strings": (graphs.numbered(labels=2), TEXTLESS["labels"], None),
    "it reads numbers": (graphs.simple(), TEXTLESS["labels"], None),
    "config.json is no such file": (_head(2), {"id2label": "none"}, None),
}


@pytest.mark.parametrize("case", SERVED.values(), ids=SERVED.keys())
def test_without_a_tokenizer_tensors_are_served_where(
    tmp_path: pathlib.Path, case: tuple[onnx.ModelProto, dict[str, Any], dict[str, Any] | None]
) -> None:
    model, config, manifest = case

    def write(folder: pathlib.Path) -> None:
        heads.write(folder, model, config=config)
        (folder / "tokenizer.json").unlink()
        if manifest is not None:
            bundles.write_document(folder, {"schemaVersion": 1, **manifest})

    assert not models.load(tmp_path, write).is_text


@pytest.mark.parametrize(
    ("name", "document", "says"),
    [
        ("tokenizer_config", {"padding_side": "top"}, "padding_side: it is 'top'"),
        ("tokenizer_config", {"truncation_side": 1}, "truncation_side: Input should be a valid string"),
        ("tokenizer_config", {"pad_token": {"lstrip": True}}, "pad_token: it has no `content`"),
        ("special_tokens_map", {"pad_token": 3}, "pad_token"),
    ],
    ids=str,
)
def test_what_makes_no_sense_beside_a_tokenizer_is_refused_by_its_key(
    tmp_path: pathlib.Path, name: str, document: dict[str, Any], says: str
) -> None:
    with pytest.raises(StartupError, match=says) as caught:
        models.load(tmp_path, lambda folder: heads.write(folder, _head(2), **{name: document}))

    assert caught.value.reason is Reason.BUNDLE_INVALID
    assert caught.value.subject.endswith(f"{name}.json")
