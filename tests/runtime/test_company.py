"""A text's answer is its own: the same alone and beside fifty others, whatever the model makes of padding."""

import asyncio
import concurrent.futures
import functools
import pathlib
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from structlog.testing import capture_logs

from slipway_runtime.engine import batching, forms
from slipway_runtime.engine.model import Batching, Classification, Model, RunControl
from slipway_runtime.engine.providers import Choice
from slipway_runtime.engine.session import SessionOptions
from slipway_runtime.scheduling import policy
from slipway_runtime.scheduling.admission import QueueLimits
from slipway_runtime.scheduling.batcher import Batcher, BatcherOptions
from slipway_runtime.scheduling.calls import RowFailedError
from slipway_runtime.scheduling.costs import Costs, Estimate
from slipway_runtime.scheduling.predictor import Predictor
from slipway_runtime.telemetry.metrics import Metrics
from tests.runtime import bundles, graphs, heads, models, processes
from tests.runtime.heads import Head

CONFIG = {"id2label": {"0": "no", "1": "yes"}}
MODEL = {**CONFIG, "model_type": "llama"}
FILL = {"pad_token": "fill"}
TEXTS = [
    " ".join(heads.WORDS[(first + step * place) % 7].replace("fill", "two") for place in range(length))
    for first in range(7)
    for step, length in ((1, 1), (2, 9), (3, 4), (1, 30), (4, 2), (5, 17), (2, 3))
]
SUBJECT = "one five"


@dataclass(frozen=True, slots=True)
class Case:
    """A model, the documents beside it, and with whom its rows may run."""

    head: Head
    batching: str
    files: dict[str, Any] = field(default_factory=dict)
    says: str = ""


CASES = {
    "a pad token that config.json alone names": Case(
        heads.LAST_TOKEN, "any", {"config": {**MODEL, "pad_token_id": heads.FILL}}
    ),
    "a pad token of an unusual name": Case(
        heads.LAST_TOKEN, "any", {"tokenizer_config": FILL, "config": {**MODEL, "pad_token_id": heads.FILL}}
    ),
    "a pad token written as an object": Case(
        heads.LAST_TOKEN, "any", {"tokenizer_config": {"pad_token": {"content": "fill", "lstrip": False}}}
    ),
    "a pad token in special_tokens_map.json": Case(
        heads.LAST_TOKEN, "any", {"special_tokens_map": FILL, "tokenizer_config": {}}
    ),
    "another pad token than the model's": Case(
        heads.LAST_TOKEN,
        "same length",
        {"tokenizer_config": {"pad_token": "five"}, "config": {**MODEL, "pad_token_id": heads.FILL}},
        "its tokenizer pads with 5, and pad_token_id of config.json is 3",
    ),
    "a pad token that is no word": Case(
        heads.LAST_TOKEN,
        "same length",
        {"tokenizer_config": {"pad_token": "<none>"}},
        "tokenizer.json has no '<none>'",
    ),
    "no pad token at all": Case(heads.LAST_TOKEN, "same length", {}, "no file names its pad token"),
    "a model that knows of no padding": Case(
        heads.LAST_POSITION,
        "same length",
        {"tokenizer_config": FILL, "config": MODEL},
        "config.json names no pad_token_id",
    ),
    "padding on the left": Case(
        heads.LAST_POSITION,
        "same length",
        {"tokenizer_config": {**FILL, "padding_side": "left"}},
        "it is padded on the left",
    ),
    "padding on the left by the class of the tokenizer": Case(
        heads.LAST_POSITION,
        "same length",
        {"tokenizer_config": {**FILL, "tokenizer_class": "XLNetTokenizerFast"}},
        "it is padded on the left",
    ),
    "padding on the left of numbered positions": Case(
        heads.LAST_NUMBERED_POSITION,
        "same length",
        {"tokenizer_config": {**FILL, "padding_side": "left"}},
        "it is padded on the left",
    ),
    "a mean without a mask": Case(
        heads.MEAN, "same length", {"tokenizer_config": FILL}, "it reads no attention_mask"
    ),
    "a mean beside a mask that nothing reads": Case(
        heads.MEAN_BESIDE_A_DEAD_MASK,
        "same length",
        {"tokenizer_config": FILL},
        "it reads no attention_mask",
    ),
    "a convolution and a maximum": Case(
        heads.CONVOLUTION, "same length", {"tokenizer_config": FILL}, "it reads no attention_mask"
    ),
    "dynamic quantization": Case(
        heads.QUANTIZED, "none", {"tokenizer_config": FILL}, "DynamicQuantizeLinear"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_an_answer_is_the_same_beside_fifty_others(tmp_path: pathlib.Path, case: Case) -> None:
    with capture_logs() as said:
        model = _load(tmp_path, case)
    warnings = [entry for entry in said if entry["event"] == "batching_limited"]
    assert model.batching.value == case.batching
    assert [entry["batching"] for entry in warnings] == [case.batching] * (case.batching != "any")
    assert all(case.says in entry["reason"] for entry in warnings)

    alone = [models.classify(model, text)[0] for text in TEXTS]
    beside = asyncio.run(_at_once(model, [SUBJECT, *TEXTS]))[1:]

    for text, one, other in zip(TEXTS, alone, beside, strict=True):
        wanted = pytest.approx(heads.expected(case.head, text), abs=1e-5)
        assert one.scores == wanted, f"{text!r} alone"
        assert other.scores == wanted, f"{text!r} beside others"


@pytest.mark.parametrize("name", ["padding on the left", "a mean without a mask", "dynamic quantization"])
def test_a_running_server_answers_alike_in_any_company(tmp_path: pathlib.Path, name: str) -> None:
    case = CASES[name]
    folder = tmp_path / "bundle"
    heads.write(folder, case.head.model(), **case.files)

    with processes.running(tmp_path / "run", folder) as process:
        [health] = httpx.get(f"{process.url}/health").json()["models"]
        assert health["batching"] == case.batching
        with concurrent.futures.ThreadPoolExecutor(len(TEXTS)) as pool, process.standing_still():
            asked = [pool.submit(process.predict, text) for text in TEXTS]
            asked.append(pool.submit(process.predict, *TEXTS))
            concurrent.futures.wait(asked, timeout=1)
        *single, whole = [one.result().json()["predictions"] for one in asked]

    found = [one["score"] for predictions in single for one in predictions]
    wanted = [pytest.approx(max(heads.expected(case.head, text)), abs=1e-5) for text in TEXTS]
    assert found == wanted
    assert [one["score"] for one in whole] == wanted


@pytest.mark.parametrize(("said", "batching"), [(True, "any"), (False, "none")])
def test_the_manifest_settles_with_whom_rows_run(
    tmp_path: pathlib.Path, batching: str, *, said: bool
) -> None:
    def write(folder: pathlib.Path) -> None:
        heads.write(folder, heads.QUANTIZED.model(), tokenizer_config=FILL)
        bundles.write_document(folder, {"schemaVersion": 1, "task": "text-classification", "batched": said})

    model = models.load(tmp_path, write)

    assert model.batching.value == batching
    alone = models.classify(model, SUBJECT)[0].scores
    assert (models.classify(model, SUBJECT, "six six six")[0].scores == alone) is (not said)


@pytest.mark.parametrize("name", ["LAST_POSITION", "FIRST_POSITION"])
def test_a_pruned_model_that_is_padded_on_the_left_answers_as_the_whole_one(
    tmp_path: pathlib.Path, name: str
) -> None:
    """Also where slipway.yaml asks for padding, so that the first position is no token of the text."""
    folder, copy = tmp_path / "source", tmp_path / "copy"
    place = {"LAST_POSITION": -1, "FIRST_POSITION": 0}[name]
    heads.write(folder, _layered(place), tokenizer_config={**FILL, "padding_side": "left"})
    bundles.write_document(folder, {"schemaVersion": 1, "task": "text-classification", "batched": True})
    copy.mkdir()
    fetched = models.fetch(folder, copy)
    answers = []
    for prune in (True, False):
        with capture_logs() as said:
            model = forms.load(fetched, SessionOptions(provider=Choice.CPU, threads=1, prune=prune))
        assert ("pruned" in [entry["event"] for entry in said]) is (prune and place == 0)
        answers.append([one[0] for one in model.run(model.encode(TEXTS), RunControl())])

    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-6)


def _layered(place: int) -> onnx.ModelProto:
    """A matrix on each position before the position `place` is chosen."""
    head = Head(
        [
            heads.node("Mul", "values", "mask", to="masked"),
            heads.node("Reshape", "masked", "shape", to="three"),
            heads.node("MatMul", "three", "weights", to="dense"),
            heads.node("Gather", "dense", "place", to="logits", axis=1),
        ],
        lambda values: values[place],
        {
            "place": np.array(place),
            "shape": np.array([0, 0, 2]),
            "weights": np.array([[1, 2], [-1, 1]], np.float32),
        },
    )
    return head.model()


def _quantizes(*, domain: str = "", within: str = "") -> onnx.ModelProto:
    """Rows of two floats, quantized by the operator itself, in a branch, or in a function."""
    quantize = helper.make_node("DynamicQuantizeLinear", ["x"], ["small", "scale", "zero"], domain=domain)
    back = helper.make_node("DequantizeLinear", ["small", "scale", "zero"], ["y"])
    put = (TensorProto.FLOAT, ("n", 2))
    if within == "function":
        made = graphs.graph(
            [helper.make_node("Rounded", ["x"], ["y"], domain="own")],
            inputs={"x": put},
            outputs={"y": put},
            domains={"own": 1},
        )
        function = helper.make_function(
            "own", "Rounded", ["x"], ["y"], [quantize, back], [helper.make_opsetid("", 17)]
        )
        made.functions.append(function)
        return made
    if within == "branch":
        branch = helper.make_graph([quantize, back], "branch", [], [helper.make_tensor_value_info("y", *put)])
        choice = helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)
        choice.output[0] = "out"
        return graphs.graph(
            [choice], inputs={"x": put}, outputs={"out": put}, constants={"yes": np.ones((), dtype=bool)}
        )
    return graphs.graph([quantize, back], inputs={"x": put}, outputs={"y": put})


@pytest.mark.parametrize("within", ["", "branch", "function"], ids=lambda name: name or "the graph itself")
def test_tensors_of_a_dynamically_quantized_model_run_request_by_request(
    tmp_path: pathlib.Path, within: str
) -> None:
    model = models.load(tmp_path, lambda folder: bundles.write_model(folder, _quantizes(within=within)))
    small, large = (np.array([row], np.float32) for row in ([0.1, -0.2], [1000, -3000]))

    rows = [*model.rows({"x": small}), *model.rows({"x": large})]
    together = model.run(rows, RunControl())

    assert (model.batching, model.signature.batched) == (Batching.NONE, False)
    assert len({row.kind for row in rows}) == 2
    np.testing.assert_allclose(together[0][0], small, atol=1e-3)


def test_tensors_of_a_quantized_model_run_together_where_the_manifest_says_so(tmp_path: pathlib.Path) -> None:
    write = functools.partial(bundles.write_model, model=_quantizes(), batched=True)
    model = models.load(tmp_path, lambda folder: write(folder))

    assert (model.batching, model.signature.batched) == (Batching.ANY, True)


@pytest.mark.parametrize(
    ("model", "operator", "reads"),
    [
        (_quantizes(), "DynamicQuantizeLinear", True),
        (_quantizes(within="branch"), "DynamicQuantizeLinear", True),
        (_quantizes(within="function"), "DynamicQuantizeLinear", True),
        (graphs.simple(), "", False),
    ],
    ids=["a graph", "a branch", "a function", "none"],
)
def test_what_looks_at_the_whole_batch_is_found_in_the_graph(
    tmp_path: pathlib.Path, model: onnx.ModelProto, operator: str, *, reads: bool
) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(model, path)

    found = batching.look(path)

    assert found.mixing == operator
    assert ("x" in found.read_by(model.graph.output[0].name)) is reads


@pytest.mark.parametrize("operator", ["DynamicQuantizeMatMul", "DynamicQuantizeLSTM"])
def test_onnxruntimes_own_operators_that_quantize_are_known(tmp_path: pathlib.Path, operator: str) -> None:
    node = helper.make_node(operator, ["x", "weights"], ["y"], domain="com.microsoft")
    put = (TensorProto.FLOAT, ("n", 2))
    onnx.save(graphs.graph([node], inputs={"x": put}, outputs={"y": put}), tmp_path / "model.onnx")

    assert batching.look(tmp_path / "model.onnx").mixing == operator


def _load(root: pathlib.Path, case: Case) -> Model:
    return models.load(root, lambda folder: heads.write(folder, case.head.model(), **case.files))


async def _at_once(model: Model, texts: list[str]) -> list[Classification]:
    """Each text a request, all of them in the queue before the first run ends; runs have a large price."""
    options = BatcherOptions(
        limits=policy.Limits(max_rows=32, max_tokens=16_384, max_wait=0.02),
        estimate=Estimate([]),
        queue=QueueLimits(max_seconds=60, max_rows=10_000),
        inline_seconds=0,
    )
    options.estimate.costs = Costs(per_run=0.1, per_token=1e-6, per_token_squared=0)
    batcher = Batcher(model.run, options, Metrics())
    predictor = Predictor(model, batcher, name="model", version="1")
    try:
        answers = await asyncio.gather(*(predictor.predict([text]) for text in texts))
    finally:
        await predictor.close()
    results: list[Classification] = []
    for answer in answers:
        [result] = answer.results
        assert not isinstance(result, RowFailedError)
        results.append(result)
    return results
