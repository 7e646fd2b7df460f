"""The models that Triton's examples ask for, by name and by tensors, in bundles and one models file."""

import pathlib
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.runtime import bundles, graphs, models_files
from tests.runtime.models_files import ModelsFile


def write(directory: pathlib.Path) -> pathlib.Path:
    """Write every bundle below `directory`. Returns the models file that names them."""
    file = ModelsFile(directory / "mounted")
    for name, make in _MODELS.items():
        make(directory / name)
    file.write(*(models_files.model(directory / name, "1", name=name) for name in _MODELS))
    return file.path


def _made_of(model: Callable[[], onnx.ModelProto]) -> Callable[[pathlib.Path], str]:
    return lambda directory: bundles.write_model(directory, model())


def _simple_int8() -> onnx.ModelProto:
    """As "simple", of INT8."""
    put = (TensorProto.INT8, ("n", 16))
    return graphs.graph(
        [
            *(helper.make_node("Cast", [f"INPUT{i}"], [f"in{i}"], to=TensorProto.INT32) for i in (0, 1)),
            helper.make_node("Add", ["in0", "in1"], ["out0"]),
            helper.make_node("Sub", ["in0", "in1"], ["out1"]),
            *(helper.make_node("Cast", [f"out{i}"], [f"OUTPUT{i}"], to=TensorProto.INT8) for i in (0, 1)),
        ],
        inputs={"INPUT0": put, "INPUT1": put},
        outputs={"OUTPUT0": put, "OUTPUT1": put},
    )


def _identity_of_integers() -> onnx.ModelProto:
    put = (TensorProto.INT32, ("n", 16))
    nodes = [helper.make_node("Identity", ["INPUT0"], ["OUTPUT0"])]
    return graphs.graph(nodes, inputs={"INPUT0": put}, outputs={"OUTPUT0": put})


def _picture() -> onnx.ModelProto:
    """The tensors of DenseNet, without its 32 MB of weights: every class gets the mean of the picture."""
    return graphs.graph(
        [
            helper.make_node("ReduceMean", ["data_0"], ["mean"], keepdims=0),
            helper.make_node("Expand", ["mean", "classes"], ["fc6_1"]),
        ],
        inputs={"data_0": (TensorProto.FLOAT, (3, 224, 224))},
        outputs={"fc6_1": (TensorProto.FLOAT, (1000,))},
        constants={"classes": np.array([1000])},
    )


_MODELS: dict[str, Callable[[pathlib.Path], str]] = {
    "simple": bundles.write_simple,
    "simple_string": bundles.write_simple_string,
    "simple_identity": bundles.write_simple_identity,
    "simple_int8": _made_of(_simple_int8),
    "custom_identity_int32": _made_of(_identity_of_integers),
    "densenet_onnx": _made_of(_picture),
}
