"""From the numbers of a text classifier to labels and scores, for whole batches at once.

Knows no session: arrays in, arrays and Classifications out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slipway_runtime.artifacts.manifest import Description, Postprocessing
from slipway_runtime.engine.model import Answer, Array, Classification, NotANumberError, Signature, TensorSpec

Scores = npt.NDArray[np.float64]


class WrongShapeError(Exception):
    """The model gave other numbers of rows or labels than it should."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """What the columns of a model's scores mean."""

    labels: tuple[str, ...]
    postprocessing: Postprocessing
    threshold: float | None

    @classmethod
    def of(cls, description: Description) -> "Scoring":
        return cls(
            description.labels, description.postprocessing or Postprocessing.NONE, description.threshold
        )

    @property
    def signature(self) -> Signature:
        """What clients of the Open Inference Protocol see of any text classifier."""
        return Signature(
            inputs=(TensorSpec("text", "BYTES", (-1,)),),
            outputs=(
                TensorSpec("label", "BYTES", (-1,)),
                TensorSpec("score", "FP32", (-1,)),
                TensorSpec("scores", "FP32", (-1, len(self.labels))),
            ),
            batched=True,
        )

    def answers(self, numbers: Array, *, rows: int) -> list[Answer]:
        """The scores of each row, from what the model gave for `rows` of them.

        Raises WrongShapeError, or NotANumberError when there is NaN or infinity among the numbers.
        """
        if numbers.shape != (rows, len(self.labels)):
            raise WrongShapeError(
                f"its scores are {list(numbers.shape)} for {rows} rows and {len(self.labels)} labels"
            )
        if not np.isfinite(numbers).all():
            raise NotANumberError("the model's answer is not a number")
        return [(scores,) for scores in self._activate(numbers.astype(np.float64))]

    def decode(self, answer: Answer) -> Classification:
        scores: list[float] = answer[0].tolist()
        best = max(scores)
        label = self.labels[scores.index(best)]
        if self.threshold is None:
            return Classification(label, best, tuple(scores), (label,))
        pairs = zip(self.labels, scores, strict=True)
        applying = tuple(name for name, score in pairs if score >= self.threshold)
        return Classification(label, best, tuple(scores), applying)

    def outputs(self, answers: Sequence[Answer]) -> dict[str, Array]:
        """The tensors of `signature`."""
        scores = np.array([answer[0] for answer in answers], dtype=np.float32)
        labels = np.array([label.encode() for label in self.labels], dtype=object)
        return {"label": labels[scores.argmax(axis=1)], "score": scores.max(axis=1), "scores": scores}

    def _activate(self, numbers: Scores) -> Scores:
        match self.postprocessing:
            case Postprocessing.SOFTMAX:
                powers = np.exp(numbers - numbers.max(axis=1, keepdims=True))
                return np.asarray(powers / powers.sum(axis=1, keepdims=True))
            case Postprocessing.SIGMOID:
                return np.asarray(1.0 / (1.0 + np.exp(-numbers.clip(-500, 500))))
            case Postprocessing.NONE:
                return numbers
