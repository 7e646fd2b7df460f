"""What kinds of models are served, what each shows to clients, and what is said about those that are not."""

import functools
import json
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from slipway_runtime.engine.model import InvalidInputError, RunControl, Signature, TensorSpec
from slipway_runtime.failures import Reason, StartupError
from tests.runtime import bundles, graphs, models
from tests.runtime.models import Write, classify


def test_a_text_classifier_shows_texts_labels_and_scores(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write)

    assert model.is_text
    assert model.labels == ("negative", "positive")
    assert model.signature == Signature(
        inputs=(TensorSpec("text", "BYTES", (-1,)),),
        outputs=(
            TensorSpec("label", "BYTES", (-1,)),
            TensorSpec("score", "FP32", (-1,)),
            TensorSpec("scores", "FP32", (-1, 2)),
        ),
        batched=True,
    )


def test_texts_as_tensors_get_the_answers_that_texts_get(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write)
    texts = ["good", "awful plain bad", ""]

    rows = model.rows({"text": np.array([text.encode() for text in texts], dtype=object)})
    outputs = model.outputs(model.run(rows, RunControl()))

    expected = classify(model, *texts)
    assert outputs["label"].tolist() == [one.label.encode() for one in expected]
    assert outputs["score"].tolist() == pytest.approx([one.score for one in expected])
    assert outputs["scores"].tolist() == [pytest.approx(one.scores) for one in expected]


def test_a_text_that_is_not_utf_8_is_the_clients_error(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write)

    with pytest.raises(InvalidInputError, match="text: element 1 is not UTF-8"):
        model.rows({"text": np.array([b"good", b"\xff"], dtype=object)})


@pytest.mark.parametrize("zipmap", [False, True], ids=["probabilities as floats", "as a sequence of maps"])
def test_a_pipeline_that_reads_strings_is_a_text_classifier(tmp_path: pathlib.Path, *, zipmap: bool) -> None:
    model = models.load(tmp_path, functools.partial(bundles.write_strings, zipmap=zipmap))

    first, second = classify(model, "2", "0")

    assert (first.label, second.label) == ("label-2", "label-0")
    assert first.scores == pytest.approx((0.05, 0.05, 0.9))
    assert model.is_text


def test_the_maps_of_a_pipeline_are_read_by_the_names_of_the_labels(tmp_path: pathlib.Path) -> None:
    labels = ["label-2", "label-0", "label-1"]
    model = models.load(tmp_path, lambda folder: bundles.write_strings(folder, zipmap=True, labels=labels))

    assert classify(model, "2")[0].label == "label-2"
    assert classify(model, "2")[0].scores == pytest.approx((0.9, 0.05, 0.05))


def test_of_a_multi_label_model_all_labels_over_the_threshold_apply(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write_multi_label)

    good, plain = classify(model, "good", "plain")

    assert (good.label, good.labels) == ("positive", ("positive",))
    assert good.scores == pytest.approx((0.1192, 0.8808), abs=1e-4)
    assert plain.labels == ("negative", "positive")  # 0.5 each, which is at the threshold


def test_no_label_may_apply_and_still_one_is_the_best(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, functools.partial(bundles.write_multi_label, threshold=0.9))

    assert (classify(model, "good")[0].label, classify(model, "good")[0].labels) == ("positive", ())


def test_a_folder_with_a_multi_label_config_needs_no_manifest(tmp_path: pathlib.Path) -> None:
    def write(folder: pathlib.Path) -> None:
        bundles.write(folder)
        (folder / "slipway.yaml").unlink()
        config = {"id2label": {"0": "blame", "1": "praise"}, "problem_type": "multi_label_classification"}
        (folder / "config.json").write_text(json.dumps(config))

    assert classify(models.load(tmp_path, write), "plain")[0].labels == ("blame", "praise")


def test_a_manifest_without_labels_takes_those_of_the_config(tmp_path: pathlib.Path) -> None:
    def write(folder: pathlib.Path) -> None:
        options = bundles.BundleOptions(goldens=[])
        bundles.write(folder, options)
        bundles.write_manifest(folder, options, labels=None)

    assert models.load(tmp_path, write).labels == ("negative", "positive")


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({}, 512),
        ({"max_position_embeddings": 64}, 64),
        ({"max_position_embeddings": 2048}, 512),
        ({"max_position_embeddings": -1}, 512),
        ({"max_position_embeddings": None}, 512),
        ({"max_position_embeddings": 514, "model_type": "bert", "pad_token_id": 0}, 512),
        ({"max_position_embeddings": 66, "model_type": "bert", "pad_token_id": 0}, 66),
        ({"max_position_embeddings": 66, "model_type": "roberta", "pad_token_id": 1}, 64),
        ({"max_position_embeddings": 66, "model_type": "xlm-roberta", "pad_token_id": 3}, 62),
        ({"max_position_embeddings": 66, "model_type": "mpnet"}, 64),
    ],
    ids=str,
)
@pytest.mark.parametrize("manifest", [True, False], ids=["with slipway.yaml", "without"])
def test_a_text_has_no_more_tokens_than_the_model_has_positions(
    tmp_path: pathlib.Path, config: dict[str, Any], tokens: int, *, manifest: bool
) -> None:
    def write(folder: pathlib.Path) -> None:
        options = bundles.BundleOptions(goldens=[])
        bundles.write(folder, options)
        (folder / "config.json").write_text(json.dumps({"id2label": {"0": "no", "1": "yes"}, **config}))
        (folder / "slipway.yaml").unlink()
        if manifest:
            bundles.write_manifest(folder, options, inputs=None)

    model = models.load(tmp_path, write)

    assert model.encode(["good " * 1000])[0].length == tokens
    assert max(timing.tokens for timing in model.warm_up(max_rows=1, budget_s=5)) == tokens


def test_what_the_manifest_says_of_the_length_holds(tmp_path: pathlib.Path) -> None:
    def write(folder: pathlib.Path) -> None:
        bundles.write(folder, bundles.BundleOptions(goldens=[], max_tokens=100))
        config = {"id2label": {"0": "no", "1": "yes"}, "max_position_embeddings": 64}
        (folder / "config.json").write_text(json.dumps(config))
        bundles.write_manifest(folder, bundles.BundleOptions(goldens=[], max_tokens=100))

    assert models.load(tmp_path, write).encode(["good " * 1000])[0].length == 100


def test_token_types_and_32_bit_ids_are_fed_to_a_model_that_reads_them(tmp_path: pathlib.Path) -> None:
    def write(folder: pathlib.Path) -> None:
        bundles.write(folder)
        (folder / "model.onnx").write_bytes(_typed_model().SerializeToString())
        bundles.write_manifest(folder, bundles.BundleOptions(goldens=[]), outputs={"scores": "answer"})

    alone = classify(models.load(tmp_path, write), "good bad good")[0]

    assert alone.scores == pytest.approx((0.5, 0.5))


def _typed_model() -> onnx.ModelProto:
    """Ids, mask and types, all int32, to their summed types twice: zero for a single text."""
    put = (TensorProto.INT32, ("n", "tokens"))
    return graphs.graph(
        [
            helper.make_node("Cast", ["token_type_ids"], ["types"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["types", "axis"], ["sums"], keepdims=1),
            helper.make_node("Concat", ["sums", "sums"], ["answer"], axis=1),
            helper.make_node("Shape", ["input_ids"], ["other"]),
        ],
        inputs={"input_ids": put, "attention_mask": put, "token_type_ids": put},
        outputs={"answer": (TensorProto.FLOAT, ("n", 2)), "other": (TensorProto.INT64, (2,))},
        constants={"axis": np.array([1])},
    )


def test_a_model_of_tensors_shows_them_and_runs_rows_together(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write_simple)
    put = {"INPUT0": np.arange(32, dtype=np.int32).reshape(2, 16), "INPUT1": np.ones((2, 16), np.int32)}

    rows = model.rows(put)
    outputs = model.outputs(model.run(rows, RunControl()))

    assert model.signature.inputs[0] == TensorSpec("INPUT0", "INT32", (-1, 16))
    assert (model.signature.batched, model.is_text, model.labels) == (True, False, ())
    assert len(rows) == 2
    assert rows[0].kind == rows[1].kind
    assert (outputs["OUTPUT0"] == put["INPUT0"] + 1).all()
    assert (outputs["OUTPUT1"] == put["INPUT0"] - 1).all()


@pytest.mark.parametrize("text", ["", "ü 語 \0", "x" * 70_000], ids=["empty", "any letters", "long"])
def test_strings_come_back_as_the_bytes_they_were(tmp_path: pathlib.Path, text: str) -> None:
    model = models.load(tmp_path, bundles.write_simple_identity)
    put = np.array([[text.encode(), b"b"], [b"c", b"d"]], dtype=object)

    outputs = model.outputs(model.run(model.rows({"INPUT0": put}), RunControl()))

    assert outputs["OUTPUT0"].tolist() == put.tolist()


def test_rows_of_other_shapes_are_of_another_kind(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write_simple_identity)

    [one] = model.rows({"INPUT0": np.array([[b"a", b"b"]], dtype=object)})
    [other] = model.rows({"INPUT0": np.array([[b"a"]], dtype=object)})

    assert one.kind != other.kind


def test_inputs_that_differ_in_their_rows_are_the_clients_error(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write_simple)
    two, three = np.ones((2, 16), np.int32), np.ones((3, 16), np.int32)

    with pytest.raises(InvalidInputError, match=r"the inputs have \[2, 3\] of them"):
        model.rows({"INPUT0": two, "INPUT1": three})


@dataclass(frozen=True, slots=True)
class Alone:
    """A model whose requests may not be mixed."""

    model: onnx.ModelProto
    put: dict[str, Any]
    expected: dict[str, Any]
    manifest: dict[str, Any]


ALONE = {
    "an output that is no row": Alone(graphs.total(), {"values": np.ones(3, np.float32)}, {"total": 3.0}, {}),
    "an output of another number of rows": Alone(
        graphs.graph(
            [helper.make_node("Concat", ["a", "a"], ["b"], axis=0)],
            inputs={"a": (TensorProto.FLOAT, ("n",))},
            outputs={"b": (TensorProto.FLOAT, ("m",))},
        ),
        {"a": np.ones(2, np.float32)},
        {"b": [1.0] * 4},
        {},
    ),
    "a manifest that says so": Alone(
        graphs.graph(
            [helper.make_node("Softmax", ["a"], ["b"], axis=0)],
            inputs={"a": (TensorProto.FLOAT, ("n",))},
            outputs={"b": (TensorProto.FLOAT, ("n",))},
        ),
        {"a": np.zeros(2, np.float32)},
        {"b": [0.5, 0.5]},
        {"batched": False},
    ),
}


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE.keys())
def test_requests_that_may_not_be_mixed_run_alone(tmp_path: pathlib.Path, case: Alone) -> None:
    model = models.load(tmp_path, lambda folder: bundles.write_model(folder, case.model, **case.manifest))

    rows = [*model.rows(case.put), *model.rows(case.put)]
    answers = model.run(rows, RunControl())

    assert not model.signature.batched
    assert len(rows) == 2
    assert rows[0].kind != rows[1].kind
    for answer in answers:
        assert {name: value.tolist() for name, value in model.outputs([answer]).items()} == case.expected


def test_a_folder_with_nothing_but_a_model_shows_its_tensors(tmp_path: pathlib.Path) -> None:
    def write(folder: pathlib.Path) -> None:
        bundles.write_simple(folder)
        (folder / "slipway.yaml").unlink()

    assert models.load(tmp_path, write).signature.outputs[1].name == "OUTPUT1"


@dataclass(frozen=True, slots=True)
class Refused:
    """A bundle that cannot be served, and what is said about it."""

    write: Write
    reason: Reason
    says: str


def _strings(model: onnx.ModelProto, **changes: Any) -> Write:
    document = {"task": "text-classification", "labels": ["a", "b"], **changes}
    return lambda folder: bundles.write_model(folder, model, **document)


def _words(**changes: Any) -> Write:
    def write(folder: pathlib.Path) -> None:
        bundles.write(folder)
        bundles.write_manifest(folder, bundles.BundleOptions(goldens=[]), **changes)

    return write


REFUSED = {
    "maps over the protocol": Refused(
        lambda folder: bundles.write_model(folder, graphs.numbered(labels=2, zipmap=True)),
        Reason.MODEL_LOAD_FAILED,
        "options={'zipmap': False}",
    ),
    "a text task over numbers": Refused(
        _strings(graphs.simple()), Reason.MODEL_LOAD_FAILED, "StringTensorType([None, 1])"
    ),
    "a tokenizer before strings": Refused(
        lambda folder: (
            bundles.write(folder),
            (folder / "model.onnx").write_bytes(graphs.numbered(labels=2).SerializeToString()),
            bundles.write_manifest(folder, bundles.BundleOptions()),
        ),
        Reason.MODEL_LOAD_FAILED,
        "it should read input_ids and attention_mask",
    ),
    "an output that is not there": Refused(
        _words(outputs={"scores": "probabilities"}), Reason.MODEL_LOAD_FAILED, "there is no 'probabilities'"
    ),
    "no labels anywhere": Refused(
        _strings(graphs.numbered(labels=2), labels=None), Reason.BUNDLE_INVALID, "nor is there a config.json"
    ),
    "a label twice": Refused(_words(labels=["a", "a"]), Reason.BUNDLE_INVALID, "a label stands there twice"),
    "a golden example of an unknown label": Refused(
        _words(golden=[{"text": "good", "label": "god", "score": 0.9}]),
        Reason.BUNDLE_INVALID,
        "golden: 'god' is none of the labels",
    ),
    "labels for tensors": Refused(
        lambda folder: bundles.write_model(folder, graphs.simple(), labels=["a"]),
        Reason.BUNDLE_INVALID,
        "labels: it is for text, and the task is tensors",
    ),
    "batching promised where no axis varies": Refused(
        lambda folder: bundles.write_model(folder, graphs.total(), batched=True),
        Reason.MODEL_LOAD_FAILED,
        "the first axes do not all vary",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_served_is_refused_with_the_way_out(tmp_path: pathlib.Path, case: Refused) -> None:
    with pytest.raises(StartupError) as caught:
        models.load(tmp_path, case.write)

    assert caught.value.reason is case.reason
    assert case.says in caught.value.message


def test_classes_that_are_not_the_labels_are_found_at_the_warm_up(tmp_path: pathlib.Path) -> None:
    model = models.load(
        tmp_path, functools.partial(bundles.write_strings, zipmap=True, labels=["a", "b", "c"])
    )

    with pytest.raises(StartupError, match="but the bundle's labels"):
        model.warm_up(max_rows=1, budget_s=1)


def test_labels_that_do_not_fit_the_scores_are_found_at_the_warm_up(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, _strings(graphs.numbered(labels=3)))

    with pytest.raises(StartupError, match=r"its scores are \[1, 3\] for 1 rows and 2 labels"):
        model.warm_up(max_rows=4, budget_s=1)
