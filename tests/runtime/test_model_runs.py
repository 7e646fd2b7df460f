"""Single runs: how they are ended, how their failures are told apart, and what a warm-up does."""

import functools
import pathlib
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from onnx import TensorProto, helper

from slipway_runtime.engine import warmup
from slipway_runtime.engine.model import NotANumberError, RunAbortedError, RunControl, Timing
from slipway_runtime.failures import StartupError
from slipway_runtime.scheduling import costs
from slipway_runtime.scheduling.costs import Costs
from tests.runtime import bundles, graphs, models

FOREVER = np.array(10**15)


def _counter(folder: pathlib.Path) -> None:
    bundles.write_model(folder, graphs.counter())


def test_a_run_that_would_last_for_ever_is_ended_from_another_thread(tmp_path: pathlib.Path) -> None:
    model, control = models.load(tmp_path, _counter), RunControl()
    threading.Timer(0.1, control.abort).start()

    with pytest.raises(RunAbortedError):
        model.run(model.rows({"steps": FOREVER}), control)


def test_the_model_answers_the_next_run_after_one_was_ended(tmp_path: pathlib.Path) -> None:
    model, control = models.load(tmp_path, _counter), RunControl()
    control.abort()
    with pytest.raises(RunAbortedError):
        model.run(model.rows({"steps": FOREVER}), control)

    answers = model.run(model.rows({"steps": np.array(7)}), RunControl())

    assert model.outputs(answers)["count"].item() == 7


def test_a_row_that_breaks_the_model_is_told_apart_from_one_without_an_answer(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write)

    with pytest.raises(NotANumberError):
        model.run(model.encode(["undefined"]), RunControl())
    with pytest.raises(Exception, match="indices element out of data bounds"):
        model.run(model.encode(["poison"]), RunControl())


def test_a_text_model_that_never_ends_does_not_start(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warmup, "LONGEST_RUN_SECONDS", 0.2)
    model = models.load(tmp_path, functools.partial(_write_endless, task="text-classification", labels=["a"]))

    with pytest.raises(StartupError, match="a run of 1 rows of 1 tokens failed: the run was ended"):
        model.warm_up(max_rows=4, budget_s=1)


def test_a_tensor_model_that_never_ends_with_zeros_is_served_unbatched(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client may send other values; the batcher ends the runs that take too long."""
    monkeypatch.setattr(warmup, "LONGEST_RUN_SECONDS", 0.2)
    model = models.load(tmp_path, _write_endless)

    assert not model.signature.batched
    assert model.warm_up(max_rows=4, budget_s=1) == []


def _write_endless(folder: pathlib.Path, **manifest: object) -> None:
    """Strings [n, 1] to scores [n, 1], by way of a loop with 10**15 turns."""
    counting = graphs.counter()
    loop = counting.graph.node[0]
    loop.input[0] = "many"
    model = graphs.graph(
        [
            loop,
            helper.make_node("Cast", ["text"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Cast", ["count"], ["counted"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["numbers", "counted"], ["scores"]),
        ],
        inputs={"text": (TensorProto.STRING, ("n", 1))},
        outputs={"scores": (TensorProto.FLOAT, ("n", 1))},
        constants={"many": FOREVER, "yes": np.ones((), bool), "zero": np.array(0), "one": np.array(1)},
    )
    bundles.write_model(folder, model, **manifest)


@pytest.mark.parametrize("variable", ["ORT_LOAD_CONFIG_FROM_MODEL"])
def test_a_model_brings_no_session_options_of_its_own(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """With the variable set, onnxruntime would take its options from the file, and fail on these."""
    monkeypatch.setenv(variable, "1")
    model = graphs.simple()
    helper.set_model_props(model, {"ort_config": '{"session_options": {"intra_op_num_threads": "many"}}'})

    assert models.load(tmp_path, lambda folder: bundles.write_model(folder, model)).signature.batched


TRUE = {
    "a small model on a processor": Costs(6e-4, 1e-4, 2e-7),
    "a large one": Costs(1e-3, 8e-4, 1e-6),
    "one on a gpu": Costs(5e-3, 1e-6, 0.0),
}


@pytest.mark.parametrize("true", TRUE.values(), ids=TRUE.keys())
@pytest.mark.parametrize("max_length", [8, 128, 512])
def test_the_shapes_of_a_warm_up_show_what_a_model_costs(true: Costs, max_length: int) -> None:
    timings = warmup.measure(
        true.of, warmup.shapes(max_rows=32, max_length=max_length), budget_s=float("inf")
    )

    found = costs.fit(timings)

    for rows, length in ((1, 1), (1, max_length), (8, max_length // 2), (32, max_length)):
        assert found.of(rows, length) == pytest.approx(true.of(rows, length), rel=0.02)


def test_single_rows_of_every_length_come_first_and_no_shape_twice() -> None:
    shapes = warmup.shapes(max_rows=32, max_length=100)

    assert shapes[:4] == [(1, 4), (1, 16), (1, 64), (1, 100)]
    assert len(set(shapes)) == len(shapes)
    assert (32, 100) in shapes


@pytest.mark.parametrize(("max_rows", "max_length"), [(1, 1), (1, 512), (2, 1), (1024, 8192), (3, 7)])
def test_no_shape_is_larger_than_what_is_served(max_rows: int, max_length: int) -> None:
    for rows, length in warmup.shapes(max_rows=max_rows, max_length=max_length):
        assert 1 <= rows <= max_rows
        assert 1 <= length <= max_length


def test_a_slow_model_is_not_kept_from_serving() -> None:
    ran: list[tuple[int, int]] = []

    timings = warmup.measure(_slow(ran, 0.05), warmup.shapes(max_rows=32, max_length=512), budget_s=0.3)

    assert timings[0] == Timing(1, 4, 0.2)
    assert sum(rows * length for rows, length in ran) <= 8  # what 0.3 s are enough for, at 0.05 s a token


def _slow(ran: list[tuple[int, int]], seconds_a_token: float) -> Callable[[int, int], float]:
    def run(rows: int, length: int) -> float:
        ran.append((rows, length))
        time.sleep(seconds_a_token * rows * length)
        return seconds_a_token * rows * length

    return run


def test_the_first_run_of_all_counts_for_nothing() -> None:
    taken = iter([9.0, *[1.0] * 100])

    [timing] = warmup.measure(lambda *_: next(taken), [(1, 1)], budget_s=100)

    assert timing == Timing(1, 1, 1.0)


def test_a_warm_up_measures_a_real_model(tmp_path: pathlib.Path) -> None:
    timings = models.load(tmp_path, bundles.write).warm_up(max_rows=8, budget_s=5)

    assert {(timing.rows, timing.tokens) for timing in timings} >= {(1, 4), (1, 128), (8, 128)}
    assert all(timing.seconds > 0 for timing in timings)
