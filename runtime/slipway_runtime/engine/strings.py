"""Text classifiers that read text: ONNX models whose graph has its own preprocessing.

This is what skl2onnx writes for scikit-learn pipelines (`TfidfVectorizer`, `CountVectorizer`): one
input of strings, [n, 1] or [n]; the probabilities as floats [n, labels] (`options={'zipmap': False}`)
or as a sequence of maps. Another output, as the predicted label, is not read.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from slipway_runtime.artifacts.bundle import Bundle
from slipway_runtime.engine import batching
from slipway_runtime.engine.model import Answer, Array, Batching, Row, RunControl
from slipway_runtime.engine.scores import Scoring, WrongShapeError
from slipway_runtime.engine.session import Session, SessionOptions, unusable
from slipway_runtime.engine.text import TextClassifier, find_scores

_MAPS = "seq(map("


class StringClassifier(TextClassifier):
    """A Model of form STRINGS. Its rows are (text,), an object array of no axis."""

    def __init__(self, bundle: Bundle, options: SessionOptions) -> None:
        """Load the bundle. Takes seconds: use a thread. Raises StartupError."""
        session = Session(bundle.model, options)
        # Texts are not padded here, so their lengths are no part of what a run costs together.
        super().__init__(session, Scoring.of(bundle.description), max_length=1)
        self._input, self._shape = _find_texts(session)
        self._output = (_find_output(session, bundle.description.scores),)
        mixing, said = batching.look(bundle.model).mixing, bundle.description.batched
        if said is False:
            self._limit(Batching.NONE, "slipway.yaml says so")
        elif mixing and not said:
            self._limit(Batching.NONE, batching.because(mixing))

    def encode(self, texts: Sequence[str]) -> list[Row]:
        return [Row((_boxed(text),)) for text in texts]

    def _run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
        texts = np.array([row.values[0].item() for row in rows], dtype=object).reshape(self._shape)
        (numbers,) = self._session.run(self._output, {self._input: texts}, control)
        if isinstance(numbers, list):
            numbers = self._columns(numbers)
        return self._scoring.answers(numbers, rows=len(rows))

    def _columns(self, maps: list[dict[Any, float]]) -> Array:
        """Maps from class to probability as columns: classes with names by the labels, others in order."""
        named = any(isinstance(name, str) for name in maps[0])
        if named and maps[0].keys() != set(self.labels):
            raise WrongShapeError(
                f"its classes are {sorted(maps[0])}, but the bundle's labels {list(self.labels)}"
            )
        columns = self.labels if named else sorted(maps[0])
        return np.array([[one[name] for name in columns] for one in maps], dtype=np.float32)

    def _sample(self, length: int) -> Row:
        return Row((_boxed("0" * length),))


def _boxed(text: str) -> Array:
    boxed = np.empty((), dtype=object)
    boxed[()] = text
    return boxed


def _find_texts(session: Session) -> tuple[str, tuple[int, ...]]:
    """The name of the input, and the shape that texts [n] must get for it."""
    if len(session.inputs) == 1 and session.inputs[0].is_string:
        port = session.inputs[0]
        for shape in ((-1, 1), (-1,)):
            if port.fits(*shape):
                return port.name, shape
    raise unusable(
        f"{session.describe()}; without a tokenizer.json a text classifier reads strings, [n, 1] or [n] "
        "(skl2onnx: initial_types=[('text', StringTensorType([None, 1]))])"
    )


def _find_output(session: Session, wanted: str | None) -> str:
    maps = [port.name for port in session.outputs if port.kind.startswith(_MAPS)]
    if wanted is None and len(maps) == 1:
        return maps[0]
    return find_scores(session, wanted)
