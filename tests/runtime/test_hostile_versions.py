"""A hostile model beside an honest one, in one real process: what was served is served on, as before."""

import pathlib
import time
from collections.abc import Callable, Iterator

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.runtime import bundles, graphs, models_files
from tests.runtime.models_files import ModelsFile, model
from tests.runtime.processes import RuntimeProcess

MEBIBYTE = 1 << 20
PUT = (TensorProto.INT64, ("n",))


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> ModelsFile:
    return ModelsFile(tmp_path_factory.mktemp("mounted"))


@pytest.fixture(scope="module")
def process(
    mounted: ModelsFile, bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RuntimeProcess]:
    mounted.write(model(bundle, "1"))
    with models_files.serving(tmp_path_factory.mktemp("run"), mounted) as process:
        process.predict("good")
        yield process


def _filled(elements: str) -> onnx.ModelProto:
    """size to y: as many zeros as `elements` says, an input or a constant."""
    return graphs.graph(
        [helper.make_node("ConstantOfShape", [elements], ["c"]), helper.make_node("Size", ["c"], ["y"])],
        inputs={"size": PUT},
        outputs={"y": (TensorProto.INT64, ())},
        constants={"many": np.array([240_000_000])},
    )


def _foreign() -> onnx.ModelProto:
    node = helper.make_node("Evil", ["size"], ["y"], domain="com.evil")
    return graphs.graph([node], inputs={"size": PUT}, outputs={"y": PUT}, domains={"com.evil": 1})


HOSTILE = {
    "one that computes a gigabyte while it is loaded": (
        lambda: _filled("many"),
        "it computes large constants",
    ),
    "one with an operator of its own": (_foreign, "operator 'Evil'"),
}


@pytest.mark.parametrize(("make", "says"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_version_takes_nothing_from_the_one_that_is_served(
    process: RuntimeProcess,
    mounted: ModelsFile,
    bundle: pathlib.Path,
    tmp_path: pathlib.Path,
    make: Callable[[], onnx.ModelProto],
    says: str,
) -> None:
    bundles.write_model(tmp_path / "hostile", make())
    before = _highest(process)

    mounted.write(model(bundle, "1"), model(tmp_path / "hostile", "2"))

    _wait(lambda: says in httpx.get(f"{process.url}/health").text, process)
    assert process.predict("good").json()["predictions"][0]["label"] == "positive"
    assert _highest(process) - before < 64 * MEBIBYTE


def test_a_request_for_gigabytes_fails_alone(
    process: RuntimeProcess, mounted: ModelsFile, bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    bundles.write_model(tmp_path / "greedy", _filled("size"))
    mounted.write(model(bundle, "1"), model(tmp_path / "greedy", "1", name="greedy"))
    _wait(lambda: _infer(process, 3).status_code == 200, process)
    before = _highest(process)

    refused = _infer(process, 1 << 40)

    assert refused.status_code >= 400
    assert "error" in refused.json()
    assert _infer(process, 3).json()["outputs"][0]["data"] == [3]
    assert process.predict("good").status_code == 200
    assert _highest(process) - before < 64 * MEBIBYTE


def _infer(process: RuntimeProcess, size: int) -> httpx.Response:
    put = {"name": "size", "datatype": "INT64", "shape": [1], "data": [size]}
    return httpx.post(f"{process.url}/v2/models/greedy/infer", json={"inputs": [put]}, timeout=20)


def _wait(condition: Callable[[], bool], process: RuntimeProcess) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, httpx.get(f"{process.url}/health").text
        time.sleep(0.05)


def _highest(process: RuntimeProcess) -> int:
    """The most memory that the process ever had."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
