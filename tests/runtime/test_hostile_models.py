"""Models that were made to harm: each is refused before it is loaded, or fails alone, and costs little.

The files are made here, a few bytes each. What they ask for would be gigabytes, other files of the
container, or the end of the process.
"""

import contextlib
import os
import pathlib
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from slipway_runtime.engine import inspection, trial, wire
from slipway_runtime.engine.model import OutOfMemoryError, RunControl
from slipway_runtime.engine.providers import CPU, CUDA
from slipway_runtime.failures import Reason, StartupError
from tests.runtime import bundles, graphs, models

FLOATS = (TensorProto.FLOAT, ("n",))
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """A model, why it is refused, and what is said."""

    model: Callable[[], onnx.ModelProto | bytes]
    reason: Reason
    says: str


def _one(node: onnx.NodeProto, **constants: np.ndarray) -> onnx.ModelProto:
    """A model of one node from x to y."""
    domains = {node.domain: 1} if node.domain else {}
    return graphs.graph(
        [node], inputs={"x": FLOATS}, outputs={"y": FLOATS}, constants=constants, domains=domains
    )


def _custom() -> onnx.ModelProto:
    return _one(helper.make_node("Evil", ["x"], ["y"], domain="com.evil"))


def _machine_code() -> onnx.ModelProto:
    return _one(
        helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", ep_cache_context="/etc/passwd")
    )


def _nested(depth: int, node: onnx.NodeProto) -> onnx.ModelProto:
    """`node`, `depth` branches deep."""
    for _ in range(depth):
        output = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
        branch = helper.make_graph([node], "branch", [], [output])
        node = helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)
    return _one(node, yes=np.ones((), dtype=bool))


def _hidden_custom() -> onnx.ModelProto:
    return _nested(3, helper.make_node("Evil", ["x"], ["y"], domain="com.evil"))


def _in_a_function() -> onnx.ModelProto:
    model = _one(helper.make_node("Nice", ["x"], ["y"], domain="local"))
    model.functions.append(
        helper.make_function(
            "local",
            "Nice",
            ["a"],
            ["b"],
            [helper.make_node("Evil", ["a"], ["b"], domain="com.evil")],
            [helper.make_opsetid("", 17), helper.make_opsetid("com.evil", 1)],
        )
    )
    return model


def _recursive() -> onnx.ModelProto:
    model = _one(helper.make_node("Again", ["x"], ["y"], domain="local"))
    again = [helper.make_node("Again", ["a"], ["b"], domain="local")]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    model.functions.append(helper.make_function("local", "Again", ["a"], ["b"], again, opsets))
    return model


def _default_of_a_function(value: onnx.TensorProto | onnx.SparseTensorProto) -> onnx.ModelProto:
    """A function whose Constant has what the function's attribute `w` is when its caller does not say."""
    model = _one(helper.make_node("Nice", ["x"], ["y"], domain="local"))
    field = "value" if isinstance(value, onnx.TensorProto) else "sparse_value"
    constant = helper.make_node("Constant", [], ["c"])
    constant.attribute.add(name=field, ref_attr_name="w", type=helper.make_attribute("w", value).type)
    function = helper.make_function(
        "local",
        "Nice",
        ["a"],
        ["b"],
        [constant, helper.make_node("Add", ["a", "c"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    function.attribute_proto.append(helper.make_attribute("w", value))
    model.functions.append(function)
    return model


def _external_default(location: str) -> onnx.ModelProto:
    return _default_of_a_function(_external(location).graph.initializer[0])


def _external(location: str, *, size: int = 4) -> onnx.ModelProto:
    model = _one(helper.make_node("Add", ["x", "w"], ["y"]))
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[size // 4], data_location=1)
    for key, value in (("location", location), ("offset", "0"), ("length", str(size))):
        tensor.external_data.add(key=key, value=value)
    model.graph.initializer.append(tensor)
    return model


def _huge_dimensions(*sizes: int) -> onnx.ModelProto:
    model = _one(helper.make_node("Add", ["x", "w"], ["y"]))
    model.graph.initializer.append(TensorProto(name="w", data_type=TensorProto.FLOAT, dims=sizes))
    return model


def _sparse() -> onnx.ModelProto:
    model = _one(helper.make_node("Mul", ["x", "w"], ["y"]))
    value, place = (
        numpy_helper.from_array(np.ones(1, np.float32), "w"),
        numpy_helper.from_array(np.zeros(1, np.int64)),
    )
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(value, place, [1 << 30]))
    return model


def _sparse_attribute() -> onnx.ModelProto:
    value, place = (
        numpy_helper.from_array(np.ones(1, np.float32)),
        numpy_helper.from_array(np.zeros(1, np.int64)),
    )
    sparse = helper.make_sparse_tensor(value, place, [1 << 30])
    model = _one(helper.make_node("Mul", ["x", "w"], ["y"]))
    model.graph.node.insert(0, helper.make_node("Constant", [], ["w"], sparse_value=sparse))
    return model


def _folded(elements: int, *, times: int = 1) -> onnx.ModelProto:
    """`times` constants of `elements` floats, which onnxruntime computes while it loads."""
    nodes = []
    for index in range(times):
        value = helper.make_tensor("value", TensorProto.FLOAT, [1], [float(index)])
        nodes += [
            helper.make_node("ConstantOfShape", ["size"], [f"c{index}"], value=value),
            helper.make_node("Mul", [f"c{index}", "x"], [f"m{index}"]),
            helper.make_node("ReduceSum", [f"m{index}"], [f"s{index}"]),
        ]
    nodes.append(helper.make_node("Sum", [f"s{index}" for index in range(times)], ["y"]))
    return graphs.graph(
        nodes, inputs={"x": FLOATS}, outputs={"y": FLOATS}, constants={"size": np.array([elements])}
    )


REFUSED = {
    "an operator of a foreign domain": Case(
        _custom, Reason.UNSAFE_MODEL, "operator 'Evil' of domain 'com.evil'"
    ),
    "one that is hidden in branches": Case(_hidden_custom, Reason.UNSAFE_MODEL, "operator 'Evil'"),
    "one that is hidden in a function": Case(_in_a_function, Reason.UNSAFE_MODEL, "operator 'Evil'"),
    "machine code for an accelerator": Case(_machine_code, Reason.UNSAFE_MODEL, "operator 'EPContext'"),
    "a function that calls itself": Case(_recursive, Reason.MODEL_LOAD_FAILED, "could not load it"),
    "graphs within graphs": Case(
        lambda: _deep(40),
        Reason.UNSAFE_MODEL,
        "nested more than 16 deep",
    ),
    "more nodes than any model has": Case(
        lambda: _many(100_001), Reason.UNSAFE_MODEL, "more than 100000 nodes"
    ),
    "data outside the folder": Case(
        lambda: _external("../slipway.yaml"), Reason.UNSAFE_MODEL, "named without a path"
    ),
    "data of the system": Case(lambda: _external("/etc/passwd"), Reason.UNSAFE_MODEL, "named without a path"),
    "data in a folder of the folder": Case(
        lambda: _external("a/../../slipway.yaml"), Reason.UNSAFE_MODEL, "named without a path"
    ),
    "data at an address of the process": Case(
        lambda: _external("*/_ORT_MEM_ADDR_/*"), Reason.UNSAFE_MODEL, "named without a path"
    ),
    "data of the system, as a function's default": Case(
        lambda: _external_default("/etc/passwd"), Reason.UNSAFE_MODEL, "named without a path"
    ),
    "data outside the folder, as a function's default": Case(
        lambda: _external_default("../slipway.yaml"), Reason.UNSAFE_MODEL, "named without a path"
    ),
    "data at an address of the process, as a function's default": Case(
        lambda: _external_default("*/_ORT_MEM_ADDR_/*"), Reason.UNSAFE_MODEL, "named without a path"
    ),
    "a sparse constant, as a function's default": Case(
        lambda: _default_of_a_function(_sparse().graph.sparse_initializer[0]),
        Reason.UNSAFE_MODEL,
        "store it dense",
    ),
    "data that the bundle does not hold": Case(
        lambda: _external("weights.bin"), Reason.UNSAFE_MODEL, "which is not in the bundle"
    ),
    "dimensions without data": Case(
        lambda: _huge_dimensions(1 << 30), Reason.UNSAFE_MODEL, "says that it has 1073741824 elements"
    ),
    "dimensions whose product overflows": Case(
        lambda: _huge_dimensions(1 << 33, 1 << 33), Reason.UNSAFE_MODEL, "more elements than any file"
    ),
    "a dimension below zero": Case(
        lambda: _huge_dimensions(-1), Reason.UNSAFE_MODEL, "more elements than any file"
    ),
    "a million dimensions": Case(
        lambda: _huge_dimensions(*[1 << 62] * 1_000_000), Reason.UNSAFE_MODEL, "more elements than any file"
    ),
    "a name that fills a log": Case(
        lambda: _one(helper.make_node("E" * 1_000_000, ["x"], ["y"], domain="com.evil")),
        Reason.UNSAFE_MODEL,
        "operator 'EEE",
    ),
    "a sparse constant": Case(_sparse, Reason.UNSAFE_MODEL, "store it dense"),
    "a sparse constant in a node": Case(_sparse_attribute, Reason.UNSAFE_MODEL, "store it dense"),
    "a constant of a gigabyte, computed": Case(
        lambda: _folded(250_000_000), Reason.UNSAFE_MODEL, "it computes large constants"
    ),
    "a gigabyte of small constants, computed": Case(
        lambda: _folded(2_000_000, times=125), Reason.UNSAFE_MODEL, "it computes large constants"
    ),
    "nothing": Case(lambda: b"", Reason.MODEL_LOAD_FAILED, "it is empty"),
    "half a model": Case(
        lambda: graphs.simple().SerializeToString()[:-7], Reason.MODEL_LOAD_FAILED, "it is no ONNX model"
    ),
    "a page of HTML": Case(
        lambda: b"<!doctype html><title>403</title>", Reason.MODEL_LOAD_FAILED, "it is no ONNX model"
    ),
}


def _deep(depth: int) -> bytes:
    """Branches in branches, written by hand, since an honest writer would copy each one twice a level."""
    graph = b""
    for _ in range(depth):
        attribute = wire.write_bytes(6, graph)
        graph = wire.write_bytes(1, wire.write_bytes(5, attribute))
    return wire.write_bytes(7, graph)


def _many(count: int) -> bytes:
    node = wire.write_bytes(1, wire.write_bytes(4, b"Neg"))
    return wire.write_bytes(7, node * count)


def _write(model: onnx.ModelProto | bytes) -> models.Write:
    def write(folder: pathlib.Path) -> None:
        bundles.write_simple(folder)
        content = model if isinstance(model, bytes) else model.SerializeToString()
        (folder / "model.onnx").write_bytes(content)
        bundles.write_document(folder, {"schemaVersion": 1, "task": "tensors"})

    return write


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_model_is_refused_before_it_is_loaded_here(tmp_path: pathlib.Path, case: Case) -> None:
    before = _highest()

    with pytest.raises(StartupError) as caught:
        models.load(tmp_path, _write(case.model()))

    assert (caught.value.reason, case.says in caught.value.message) == (case.reason, True), (
        caught.value.message
    )
    assert caught.value.message.startswith("model.onnx: ")
    assert len(caught.value.message) < 2000
    assert _highest() - before < 64 * MEBIBYTE


def _large_for_a_gpu() -> onnx.ModelProto:
    model = _for_a_gpu()
    large = _folded(250_000_000).graph
    model.graph.node.extend(large.node[:-1])
    model.graph.node[-2].input[1] = "one"
    model.graph.initializer.extend(
        [*large.initializer, numpy_helper.from_array(np.ones(1, np.float32), "one")]
    )
    model.graph.output.append(helper.make_tensor_value_info("s0", TensorProto.FLOAT, None))
    return model


def _for_a_gpu() -> onnx.ModelProto:
    """What onnxruntime's optimizer writes for a GPU; there is no code of it for the CPU."""
    return graphs.graph(
        [
            helper.make_node(
                "RemovePadding", ["x", "counts"], ["y", "offset", "sums", "longest"], domain="com.microsoft"
            )
        ],
        inputs={
            "x": (TensorProto.FLOAT, ("n", "tokens", 4)),
            "counts": (TensorProto.INT32, ("n",)),
        },
        outputs={"y": (TensorProto.FLOAT, ("rows", 4))},
        domains={"com.microsoft": 1},
    )


@pytest.mark.parametrize(
    ("wanted", "passes"), [([CPU], False), ([CUDA, CPU], True), ([CUDA], True)], ids=["cpu", "auto", "cuda"]
)
def test_what_only_a_gpu_has_code_for_passes_the_trial_where_there_may_be_one(
    tmp_path: pathlib.Path, wanted: list[str], *, passes: bool
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(_for_a_gpu().SerializeToString())
    if passes:
        trial.pass_or_raise(path, providers=wanted)
        return
    with pytest.raises(StartupError, match="RemovePadding") as caught:
        trial.pass_or_raise(path, providers=wanted)
    assert caught.value.reason is Reason.MODEL_LOAD_FAILED


def test_what_only_a_gpu_has_code_for_folds_no_large_constants_either(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(_large_for_a_gpu().SerializeToString())
    with pytest.raises(StartupError, match="it computes large constants"):
        trial.pass_or_raise(path, providers=[CUDA])


@pytest.mark.parametrize(
    "name", ["an operator of a foreign domain", "half a model", "a constant of a gigabyte, computed"]
)
def test_what_is_refused_for_a_cpu_is_for_a_gpu(tmp_path: pathlib.Path, name: str) -> None:
    case, path = REFUSED[name], tmp_path / "model.onnx"
    model = case.model()
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(StartupError) as caught:
        trial.pass_or_raise(path, providers=[CUDA, CPU])

    assert (caught.value.reason, case.says in caught.value.message) == (case.reason, True)


RUNS = {
    "of the size that a client names": (
        _one(helper.make_node("ConstantOfShape", ["x"], ["y"])),
        TensorProto.INT64,
        np.array([1 << 30]),
    ),
    "of a size that stands in the model": (
        _one(helper.make_node("Expand", ["x", "size"], ["y"]), size=np.array([1 << 30])),
        TensorProto.FLOAT,
        np.ones(1, np.float32),
    ),
    "copied again and again": (
        _one(helper.make_node("Tile", ["x", "size"], ["y"]), size=np.array([1 << 30])),
        TensorProto.FLOAT,
        np.ones(1, np.float32),
    ),
}


@pytest.mark.parametrize(("model", "kind", "value"), RUNS.values(), ids=RUNS.keys())
def test_a_run_that_asks_for_gigabytes_fails_alone(
    tmp_path: pathlib.Path, model: onnx.ModelProto, kind: int, value: np.ndarray
) -> None:
    model.graph.input[0].type.tensor_type.elem_type = kind
    loaded = models.load(tmp_path, lambda folder: bundles.write_model(folder, model, batched=False))
    before = _highest()

    with pytest.raises(OutOfMemoryError):
        loaded.run(loaded.rows({"x": value}), RunControl())

    assert _highest() - before < 64 * MEBIBYTE


def test_external_data_of_the_bundle_is_read(tmp_path: pathlib.Path) -> None:
    def write(folder: pathlib.Path) -> None:
        folder.mkdir()
        np.full(1, 5, np.float32).tofile(folder / "model.onnx_data")
        bundles.write_model(folder, _external("model.onnx_data"))

    model = models.load(tmp_path, write)

    outputs = model.outputs(model.run(model.rows({"x": np.ones(1, np.float32)}), RunControl()))
    assert outputs["y"].tolist() == [6.0]


def test_external_data_behind_a_link_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "model.onnx").write_bytes(_external("weights.bin").SerializeToString())
    os.symlink("/etc/passwd", tmp_path / "weights.bin")

    with pytest.raises(inspection.UnsafeError, match="not a regular file"):
        inspection.check(tmp_path / "model.onnx")


def test_no_damage_to_a_file_makes_the_inspection_do_anything_but_refuse(tmp_path: pathlib.Path) -> None:
    """A thousand damaged copies: each is read to its end or refused, and none for another reason."""
    content = _in_a_function().SerializeToString() + _folded(4).SerializeToString()
    chance = random.Random(7)  # noqa: S311 the same damage every time
    path = tmp_path / "model.onnx"

    for _ in range(1000):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.randint(1, len(damaged))])
        with contextlib.suppress(inspection.UnsafeError, wire.MalformedError):
            inspection.check(path)


def _highest() -> int:
    """The most memory that this process ever had, which a transient allocation shows in too."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
