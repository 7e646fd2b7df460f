"""Models without what their answers do not depend on: the answers stay, and the rest is really gone."""

import pathlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from structlog.testing import capture_logs

from bench.runtime import encoder
from slipway_runtime.engine import session
from slipway_runtime.engine.model import RunControl
from slipway_runtime.engine.providers import Choice
from slipway_runtime.engine.pruning import graph, rewriting, streaming
from slipway_runtime.engine.session import Session, SessionOptions
from tests.runtime import graphs

ROWS, POSITIONS, FEATURES = 2, 3, 4
SMALL = encoder.Shape(layers=2, hidden=8, heads=2, inner=16, vocabulary=50, positions=16)
CONSTANTS = {
    "first": np.array(0),
    "second": np.array(1),
    "weights": np.linspace(-1, 1, FEATURES * FEATURES, dtype=np.float32).reshape(FEATURES, FEATURES),
    "by feature": np.arange(FEATURES, dtype=np.float32),
    "by position": np.arange(POSITIONS, dtype=np.float32).reshape(1, POSITIONS, 1),
    "ones": np.ones(FEATURES, np.float32),
    "one": np.array(1, np.float32),
    "small": np.array(1e-3, np.float32),
    "one more dimension": np.ones((1, 1, 1, FEATURES), np.float32),
    "weights by row": np.ones((ROWS, FEATURES, FEATURES), np.float32),
    "shape": np.array([0, 0, FEATURES]),
    "axes": np.array([0]),
    "width": np.array([FEATURES]),
}
SHAPE = ("n", "L", FEATURES)


def _node(operator: str, *inputs: str, to: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(inputs), [to], **attributes)


def _model(
    *nodes: onnx.NodeProto,
    outputs: Sequence[str] = ("answer",),
    shape: Sequence[int | str] = SHAPE,
    used: Mapping[str, np.ndarray[Any, Any]] = CONSTANTS,
) -> onnx.ModelProto:
    """Of "x" [n, L, features] and "table" [L, features]; nobody checks the shapes of the outputs."""
    made = graphs.graph(
        nodes,
        inputs={"x": (TensorProto.FLOAT, shape), "table": (TensorProto.FLOAT, ("L", FEATURES))},
        outputs={},
        constants=used,
    )
    made.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in outputs)
    for output in made.graph.output:
        output.type.tensor_type.elem_type = TensorProto.FLOAT
    return made


def _pruned(model: onnx.ModelProto) -> onnx.ModelProto | None:
    chunks = rewriting.pruned(memoryview(model.SerializeToString()))
    return None if chunks is None else onnx.load_from_string(b"".join(chunks))


def _run(model: onnx.ModelProto, feed: Mapping[str, np.ndarray[Any, Any]]) -> list[Any]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers: list[Any] = session.run(None, dict(feed))
    return answers


FEED = {
    "x": np.linspace(-2, 3, ROWS * POSITIONS * FEATURES, dtype=np.float32).reshape(ROWS, POSITIONS, FEATURES),
    "table": np.linspace(1, 2, POSITIONS * FEATURES, dtype=np.float32).reshape(POSITIONS, FEATURES),
}
DENSE = _node("MatMul", "x", "weights", to="dense")
CHOICE = _node("Gather", "dense", "first", to="answer", axis=1)


def _reshaped(*steps: onnx.NodeProto) -> onnx.ModelProto:
    """The choice at the end of DENSE and `steps`, which end in "value"."""
    return _model(DENSE, *steps, _node("Gather", "value", "first", to="answer", axis=1))


PRUNED = {
    "a matrix": _model(DENSE, CHOICE),
    "an activation": _reshaped(_node("Relu", "dense", to="value")),
    "a residual": _reshaped(_node("Add", "dense", "x", to="value")),
    "a bias": _reshaped(_node("Add", "by feature", "dense", to="value")),
    "a norm": _reshaped(_node("LayerNormalization", "dense", "ones", "by feature", to="value")),
    "a norm in its parts": _reshaped(
        _node("ReduceMean", "dense", to="mean", axes=[-1]),
        _node("Sub", "dense", "mean", to="off"),
        _node("Mul", "off", "off", to="square"),
        _node("ReduceMean", "square", to="variance", axes=[2]),
        _node("Add", "variance", "small", to="more"),
        _node("Sqrt", "more", to="spread"),
        _node("Div", "off", "spread", to="value"),
    ),
    "behind a Reshape to three": _model(
        _node("Reshape", "x", "shape", to="y"), _node("MatMul", "y", "weights", to="dense"), CHOICE
    ),
    "behind a Reshape to three numbers": _model(
        _node("Shape", "x", to="sizes"),
        *(_node("Gather", "sizes", index, to=f"{index} size") for index in ("first", "second")),
        *(_node("Unsqueeze", f"{index} size", "axes", to=f"{index} part") for index in ("first", "second")),
        _node("Concat", "first part", "second part", "width", to="numbers", axis=0),
        _node("Reshape", "x", "numbers", to="y"),
        _node("MatMul", "y", "weights", to="dense"),
        CHOICE,
    ),
    "chosen twice": _model(
        DENSE, CHOICE, _node("Gather", "dense", "first", to="other", axis=1), outputs=("answer", "other")
    ),
}

LEFT = {
    "another position is chosen": _model(DENSE, _node("Gather", "dense", "second", to="answer", axis=1)),
    "a row is chosen": _model(DENSE, _node("Gather", "dense", "first", to="answer", axis=0)),
    "a feature is chosen": _model(DENSE, _node("Gather", "dense", "first", to="answer", axis=2)),
    "a feature of the second position is chosen": _model(
        _node("Gather", "x", "second", to="y", axis=1), _node("MatMul", "y", "weights", to="dense"), CHOICE
    ),
    "it is an output too": _model(DENSE, CHOICE, outputs=("answer", "dense")),
    "somebody else reads it": _model(
        DENSE, CHOICE, _node("Softmax", "dense", to="other", axis=1), outputs=("answer", "other")
    ),
    "a bias differs by position": _reshaped(_node("Add", "dense", "by position", to="value")),
    "a dimension more makes it another axis": _reshaped(
        _node("Add", "dense", "one more dimension", to="value")
    ),
    "positions see each other": _reshaped(_node("Softmax", "dense", to="value", axis=1)),
    "a mean over positions": _reshaped(_node("ReduceMean", "dense", to="value", axes=[1])),
    "a norm over positions": _reshaped(
        _node("LayerNormalization", "dense", "by position", to="value", axis=1),
    ),
    "weights of each row": _model(_node("MatMul", "x", "weights by row", to="dense"), CHOICE),
    "no matrix, so nothing worth it": _model(
        _node("Relu", "x", to="value"), _node("Gather", "value", "first", to="answer", axis=1)
    ),
    "the input does not say its rank": _model(DENSE, CHOICE, shape=("n",)),
}
LEFT["the input does not say its rank"].graph.input[0].type.tensor_type.ClearField("shape")


@pytest.mark.parametrize("name", PRUNED)
def test_what_works_on_each_position_by_itself_gets_the_first_one_only(name: str) -> None:
    model = PRUNED[name]

    pruned = _pruned(model)

    assert pruned is not None
    choices = [node for node in pruned.graph.node if node.output[0].startswith("slipway.pruning:")]
    assert {node.input[0] for node in choices} <= {"x", "y"}  # in front of everything
    for ours, theirs in zip(_run(pruned, FEED), _run(model, FEED), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("name", LEFT)
def test_a_model_is_left_as_it_is_where(name: str) -> None:
    assert _pruned(LEFT[name]) is None


def test_a_default_that_a_request_can_replace_is_no_constant() -> None:
    model = _model(DENSE, CHOICE)
    model.graph.input.append(helper.make_tensor_value_info("first", TensorProto.INT64, ()))

    assert _pruned(model) is None


def test_a_graph_in_a_node_may_read_any_value() -> None:
    kept = helper.make_graph([_node("Identity", "dense", to="kept")], "branch", [], [])
    kept.output.append(helper.make_tensor_value_info("kept", TensorProto.FLOAT, SHAPE))
    branch = helper.make_node("If", ["yes"], ["other"], then_branch=kept, else_branch=kept)
    yes = {**CONSTANTS, "yes": np.ones((), dtype=bool)}

    assert _pruned(_model(DENSE, CHOICE, branch, outputs=("answer", "other"), used=yes)) is None


def test_a_function_of_the_model_may_have_the_name_of_an_operator() -> None:
    model = _model(DENSE, CHOICE)
    model.functions.append(
        helper.make_function(
            "", "MatMul", ["a", "b"], ["c"], [_node("Softmax", "a", to="c", axis=1)], model.opset_import
        )
    )

    assert _pruned(model) is None


def test_operators_of_an_old_opset_had_other_attributes() -> None:
    model = _model(DENSE, CHOICE)
    model.opset_import[0].version = 12

    assert _pruned(model) is None


def test_the_numbers_of_trees_are_not_read() -> None:
    """There can be millions, and while they are read nothing else of the process goes on."""
    trees = helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["answer"], domain="ai.onnx.ml", nodes_nodeids=[1, 2]
    )

    (node,) = graph.read(memoryview(_model(trees).SerializeToString())).nodes

    assert not node.numbers


def _steps() -> st.SearchStrategy[list[tuple[str, int, int]]]:
    kinds = ["MatMul", "Relu", "Add", "Mul", "norm", "softmax", "over positions", "mean", "bias", "place"]
    kinds += ["table", "more", "transposed"]
    return st.lists(
        st.tuples(st.sampled_from(kinds), st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12
    )


def _step(kind: str, one: str, two: str, to: str) -> onnx.NodeProto:
    match kind:
        case "norm":
            return _node("LayerNormalization", one, "ones", "by feature", to=to)
        case "softmax":
            return _node("Softmax", one, to=to, axis=-1)
        case "over positions":
            return _node("Softmax", one, to=to, axis=-2)
        case "mean":
            return _node("ReduceMean", one, to=to, axes=[-1])
        case "MatMul":
            return _node("MatMul", one, "weights", to=to)
        case "Relu":
            return _node("Relu", one, to=to)
        case "transposed":
            return _node("Transpose", one, to=to, perm=[1, 0, 2])
    other = {"bias": "by feature", "place": "by position", "table": "table", "more": "one more dimension"}
    return _node("Mul" if kind == "Mul" else "Add", one, other.get(kind, two), to=to)


@settings(max_examples=400, deadline=None)
@given(steps=_steps(), also=st.integers(0, 20), rows=st.sampled_from([1, 3]))
def test_answers_stay_the_same_whatever_the_graph(
    steps: list[tuple[str, int, int]], also: int, rows: int
) -> None:
    values = ["x"]
    nodes = []
    for index, (kind, one, two) in enumerate(steps):
        nodes.append(_step(kind, values[-1 - one % len(values)], values[-1 - two % len(values)], f"v{index}"))
        values.append(f"v{index}")
    nodes.append(_node("MatMul", values[-1], "weights", to="last"))
    nodes.append(_node("Gather", "last", "first", to="answer", axis=1))
    outputs = ("answer", values[also]) if 0 < also < len(values) else ("answer",)
    model = _model(*nodes, outputs=outputs)
    feed = {**FEED, "x": np.random.default_rng(rows).normal(size=(rows, 3, FEATURES)).astype(np.float32)}
    try:
        expected = _run(model, feed)
    except Exception:  # onnxruntime's exceptions share no base but this: shapes that do not fit
        event("no model")
        return
    pruned = _pruned(model)
    event("left" if pruned is None else "pruned")
    if pruned is not None:
        for ours, theirs in zip(_run(pruned, feed), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def _words(rows: int = 3, length: int = 7) -> dict[str, np.ndarray[Any, Any]]:
    ids = np.random.default_rng(5).integers(0, SMALL.vocabulary, (rows, length))
    mask = np.ones_like(ids)
    mask[1:, 4:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def _session(path: pathlib.Path, *, prune: bool = True) -> Session:
    return Session(path, SessionOptions(provider=Choice.CPU, threads=1, prune=prune))


def test_of_an_encoder_all_behind_the_last_attention_is_cut() -> None:
    pruned = _pruned(encoder.build(SMALL))

    assert pruned is not None
    given = {node.input[0] for node in pruned.graph.node if node.output[0].startswith("slipway.pruning:")}
    makers = {node.output[0]: node for node in pruned.graph.node}
    assert sorted(makers[name].op_type for name in given) == ["LayerNormalization", "Reshape"]


def test_a_pruned_file_answers_as_the_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(encoder.build(SMALL), path)

    with capture_logs() as logs:
        sessions = [_session(path, prune=prune) for prune in (False, True)]

    assert [line["event"] for line in logs] == ["pruned"]
    asis, pruned = (session.run(["logits"], _words(), RunControl())[0] for session in sessions)
    np.testing.assert_allclose(pruned, asis, rtol=1e-5)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("positions", ["L", 7])
def test_shapes_beside_the_graph_that_are_no_longer_true_are_left_out(
    tmp_path: pathlib.Path, positions: int | str
) -> None:
    whole = encoder.build(SMALL)
    model = onnx.shape_inference.infer_shapes(whole)
    for value in model.graph.value_info:
        for dim in value.type.tensor_type.shape.dim:
            if isinstance(positions, int) and dim.dim_param == "L":
                dim.dim_value = positions
    assert model.graph.value_info
    onnx.save(model, tmp_path / "model.onnx")

    session = _session(tmp_path / "model.onnx")

    np.testing.assert_allclose(
        session.run(["logits"], _words(), RunControl())[0], _run(whole, _words())[0], rtol=1e-5
    )
    pruned = _pruned(model)
    assert pruned is not None
    assert 0 < len(pruned.graph.value_info) < len(model.graph.value_info)


def test_weights_in_a_file_beside_it_are_found(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(encoder.build(SMALL), path, save_as_external_data=True, location="weights", size_threshold=100)

    with capture_logs() as logs:
        sessions = [_session(path, prune=prune) for prune in (False, True)]

    assert [line["event"] for line in logs] == ["pruned"]
    asis, pruned = (session.run(["logits"], _words(), RunControl())[0] for session in sessions)
    np.testing.assert_allclose(pruned, asis, rtol=1e-5)


def test_a_model_that_has_our_names_is_loaded_as_it_is(tmp_path: pathlib.Path) -> None:
    model = encoder.build(SMALL)
    model.graph.initializer.append(numpy_helper.from_array(np.array([3.0]), "slipway.pruning:first"))
    model.graph.output.append(
        helper.make_tensor_value_info("slipway.pruning:first", TensorProto.DOUBLE, (1,))
    )
    onnx.save(model, tmp_path / "model.onnx")

    with capture_logs() as logs:
        session = _session(tmp_path / "model.onnx")

    assert [line["event"] for line in logs] == ["not_pruned"]
    assert session.run(["slipway.pruning:first"], _words(), RunControl())[0].tolist() == [3.0]


def test_bytes_of_any_size_are_read_from_the_path_in_their_order(tmp_path: pathlib.Path) -> None:
    chunks: list[bytes | memoryview] = [b"a", memoryview(b"b" * 3_000_000), b"c"]

    assert streaming.load(chunks, tmp_path, pathlib.Path.read_bytes) == b"".join(chunks)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("first", [0, 10, -1])
def test_a_path_can_be_read_again_after_it_was_read_in_part_or_as_a_whole(
    tmp_path: pathlib.Path, first: int
) -> None:
    """Whoever fails with one provider reads the model again for the next one."""
    content = b"x" * 1_000_000

    def read_again(path: pathlib.Path) -> bytes:
        with path.open("rb") as file:
            file.read(first)
        with path.open("rb") as one, path.open("rb") as other:
            assert one.read() == other.read()
        return path.read_bytes()

    # A daemon, and not the test's own thread: what is tried is whether it ends at all.
    loaded: list[bytes] = []
    loading = threading.Thread(
        target=lambda: loaded.append(streaming.load([content], tmp_path, read_again)), daemon=True
    )
    loading.start()
    loading.join(timeout=10)

    assert loaded == [content]
    assert not list(tmp_path.iterdir())


def test_a_process_that_is_killed_while_it_loads_leaves_no_copy_behind(tmp_path: pathlib.Path) -> None:
    def size(path: pathlib.Path) -> int:
        return sum(one.lstat().st_size for one in path.parent.iterdir())

    assert streaming.load([b"x" * 1_000_000], tmp_path, size) < 1000


def test_onnxruntime_does_not_load_again_behind_our_back(tmp_path: pathlib.Path) -> None:
    """Its own fallback would open the path once more when a run fails, and it is gone by then."""
    path = tmp_path / "model.onnx"
    onnx.save(encoder.build(SMALL), path)
    two = ["AzureExecutionProvider", "CPUExecutionProvider"]

    loaded = session._create(path, SessionOptions(provider=Choice.AUTO, threads=1), two)

    assert not loaded._enable_fallback


@pytest.mark.parametrize("read", [0, 10])
def test_a_loader_that_gives_up_leaves_nothing_behind(tmp_path: pathlib.Path, read: int) -> None:
    def give_up(path: pathlib.Path) -> None:
        if read:
            with path.open("rb") as file:
                file.read(read)
        raise ValueError("gave up")

    for _ in range(300):  # the writer may not even have begun
        with pytest.raises(ValueError, match="gave up"):
            streaming.load([b"x" * 1_000_000], tmp_path, give_up)

    assert not list(tmp_path.iterdir())
