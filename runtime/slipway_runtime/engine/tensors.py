"""Any ONNX model as it is: its inputs and outputs are those that clients of the protocol send and get.

Where every first axis counts rows, requests are put together; otherwise each runs alone. Whether it
does is tried out on the loaded model, since a first axis that may vary need not be one of rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import structlog

from slipway_runtime.artifacts.bundle import Bundle
from slipway_runtime.engine import batching, limited, warmup
from slipway_runtime.engine.model import (
    Answer,
    Array,
    Batching,
    Classification,
    InvalidInputError,
    Row,
    RunControl,
    Signature,
    Timing,
)
from slipway_runtime.engine.ports import Port
from slipway_runtime.engine.scores import WrongShapeError
from slipway_runtime.engine.session import Session, SessionOptions, unusable
from slipway_runtime.failures import Reason, StartupError

_IDS = "input_ids"

_log = structlog.get_logger("slipway.tensors")


class TensorModel:
    """A Model of form TENSORS. A row has an array an input; it runs with rows of the same shapes."""

    is_text = False
    labels: tuple[str, ...] = ()

    def __init__(self, bundle: Bundle, options: SessionOptions) -> None:
        """Load the bundle. Takes seconds: use a thread. Raises StartupError."""
        self._session = Session(bundle.model, options)
        self.provider = self._session.provider
        self.clock = self._session.clock
        _check(self._session)
        self._inputs, self._outputs = self._session.inputs, self._session.outputs
        self._names = tuple(port.name for port in self._outputs)
        if bundle.description.classifies and _IDS in {port.name for port in self._inputs}:
            raise _without_tokenizer()
        self._batched = self._decide(bundle)
        self.batching = Batching.ANY if self._batched else Batching.NONE
        self.signature = Signature(
            inputs=tuple(port.spec() for port in self._inputs),
            outputs=tuple(port.spec() for port in self._outputs),
            batched=self._batched,
        )

    def encode(self, texts: Sequence[str]) -> list[Row]:
        raise TypeError(f"this model takes tensors, not the {len(texts)} texts it was given")

    def decode(self, answer: Answer) -> Classification:
        raise TypeError(f"this model gives tensors, and its {len(answer)} outputs have no labels")

    def rows(self, inputs: Mapping[str, Array]) -> list[Row]:
        arrays = [_for_session(inputs[port.name], port) for port in self._inputs]
        if not self._batched:
            return [Row(tuple(arrays), kind=object())]  # equal to no other: runs alone
        counts = {len(array) for array in arrays}
        if len(counts) > 1:
            raise InvalidInputError(
                f"the first axis counts rows, but the inputs have {sorted(counts)} of them"
            )
        kind = tuple((array.dtype.str, array.shape[1:]) for array in arrays)
        return [
            Row(tuple(array[index, ...] for array in arrays), kind=kind) for index in range(len(arrays[0]))
        ]

    def run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
        if not self._batched:
            return [self._run(row.values, control) for row in rows]
        if len(rows) == 1:
            stacked = [value[np.newaxis] for value in rows[0].values]
        else:
            stacked = [np.stack(values) for values in zip(*(row.values for row in rows), strict=True)]
        outputs = self._run(stacked, control)
        for port, output in zip(self._outputs, outputs, strict=True):
            if output.ndim == 0 or len(output) != len(rows):
                raise WrongShapeError(f"its output {port.name} is {list(output.shape)} for {len(rows)} rows")
        return [tuple(output[index, ...] for output in outputs) for index in range(len(rows))]

    def outputs(self, answers: Sequence[Answer]) -> dict[str, Array]:
        whole = answers[0] if not self._batched else [np.stack(parts) for parts in zip(*answers, strict=True)]
        return {
            port.name: _for_client(output, port) for port, output in zip(self._outputs, whole, strict=True)
        }

    def warm_up(self, *, max_rows: int, budget_s: float) -> list[Timing]:
        """Never fails: what a model of unknown inputs makes of zeros says little about it."""
        shapes = warmup.shapes(max_rows=max_rows if self._batched else 1, max_length=1)
        try:
            return warmup.measure(self._time, shapes, budget_s=budget_s)
        except Exception as error:
            _log.warning("warm_up_failed", error=str(error)[:500])
            return []

    def _run(self, values: Sequence[Array], control: RunControl) -> Answer:
        feed = {port.name: value for port, value in zip(self._inputs, values, strict=True)}
        return tuple(self._session.run(self._names, feed, control))

    def _time(self, rows: int, _: int) -> float:
        sample = [_sample(port, rows) for port in self._inputs]
        with limited.control(warmup.LONGEST_RUN_SECONDS) as control:
            began = self.clock()
            self._run(sample, control)
            return self.clock() - began

    def _decide(self, bundle: Bundle) -> bool:
        """Whether requests may run together."""
        said = bundle.description.batched
        may = all(port.rows for port in (*self._inputs, *self._outputs))
        if said and not may:
            raise unusable(f"batched: the first axes do not all vary; {self._session.describe()}")
        if not may or said is not None:
            return bool(may and said)
        if mixing := batching.look(bundle.model).mixing:
            _log.warning("batching_limited", batching=Batching.NONE.value, reason=batching.because(mixing))
            return False
        try:
            return all(self._gives_rows(count) for count in (1, 2))
        except Exception as error:  # onnxruntime's exceptions share no base but this
            _log.warning("batching_off", reason="it cannot be tried out with zeros", error=str(error)[:500])
            return False

    def _gives_rows(self, count: int) -> bool:
        with limited.control(warmup.LONGEST_RUN_SECONDS) as control:
            outputs = self._run([_sample(port, count) for port in self._inputs], control)
        return all(output.ndim > 0 and len(output) == count for output in outputs)


def _without_tokenizer() -> StartupError:
    return StartupError(
        Reason.BUNDLE_INVALID,
        "tokenizer.json: it is missing, and config.json promises answers to texts; make it with "
        "`AutoTokenizer.from_pretrained(…).save_pretrained(…)` of transformers, or add a slipway.yaml with "
        "`task: tensors` if clients send tokens",
        subject="tokenizer.json",
    )


def _check(session: Session) -> None:
    for port in (*session.inputs, *session.outputs):
        if port.datatype is None:
            raise unusable(
                f"{port} cannot be sent over the Open Inference Protocol: only tensors of booleans, "
                "integers, floats and strings can (skl2onnx: options={'zipmap': False})"
            )


def _sample(port: Port, rows: int) -> Array:
    """Zeros that fit `port`, with `rows` for a first axis that varies and 1 for any other that does."""
    shape = [1 if size == -1 else size for size in port.shape or ()]
    if port.rows:
        shape[0] = rows
    return np.full(shape, "0", dtype=object) if port.is_string else np.zeros(shape, dtype=port.dtype)


def _for_session(array: Array, port: Port) -> Array:
    """As onnxruntime takes it: strings for bytes. A string of ONNX is UTF-8."""
    if not port.is_string:
        return array
    try:
        return _each(array, lambda element: element.decode())
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{port.name}: an element is not UTF-8: {error}") from error


def _for_client(array: Array, port: Port) -> Array:
    return _each(array, lambda element: element.encode()) if port.is_string else array


def _each(array: Array, change: Any) -> Array:
    changed = np.empty(array.shape, dtype=object)
    changed.ravel()[:] = [change(element) for element in array.ravel().tolist()]
    return changed
