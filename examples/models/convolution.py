"""Version 2: filters over neighbouring words, each filter's strongest answer, and a linear layer.

It sees order ("not a bad" is one window), and knows nothing of text, training loops or ONNX.
Parameters, with V words, d dimensions, w words a window, f filters, c labels:
`embedding` [V, d], `filters` [w * d, f], `threshold` [f], `head` [f, c], `bias` [c].
"""

from dataclasses import dataclass

import numpy as np

from examples.models import arrays
from examples.models.arrays import Integers, Parameters, Reals


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """The shape of the model; `width` is odd, `dropout` the share of features left out in training."""

    dimension: int
    filters: int
    width: int
    dropout: float
    labels: int = 2

    def initial(self, *, vocabulary: int, random: np.random.Generator) -> Parameters:
        window = self.width * self.dimension
        return {
            "embedding": random.normal(0.0, 0.3, (vocabulary, self.dimension)),
            "filters": random.normal(0.0, np.sqrt(2.0 / window), (window, self.filters)),
            "threshold": np.zeros(self.filters),
            "head": random.normal(0.0, np.sqrt(1.0 / self.filters), (self.filters, self.labels)),
            "bias": np.zeros(self.labels),
        }

    def logits(self, parameters: Parameters, ids: Integers) -> Reals:
        """Return logits [n, labels] of ids [n, L], padded with 0."""
        features = self._answers(parameters, self._windows(parameters, ids), ids).max(axis=1)
        return np.asarray(features @ parameters["head"] + parameters["bias"])

    def gradients(
        self, parameters: Parameters, ids: Integers, labels: Integers, *, random: np.random.Generator
    ) -> tuple[float, Parameters]:
        """Return the batch's loss in nats and its gradient at every parameter."""
        windows = self._windows(parameters, ids)
        answers = self._answers(parameters, windows, ids)
        kept = (random.random((len(ids), self.filters)) >= self.dropout) / (1.0 - self.dropout)
        features = answers.max(axis=1) * kept
        loss, at_logits = arrays.cross_entropy(features @ parameters["head"] + parameters["bias"], labels)
        at_answers = _at_strongest(answers, (at_logits @ parameters["head"].T) * kept)
        return loss, {
            "embedding": self._at_embedding(parameters, ids, at_answers @ parameters["filters"].T),
            "filters": np.tensordot(windows, at_answers, axes=((0, 1), (0, 1))),
            "threshold": at_answers.sum(axis=(0, 1)),
            "head": features.T @ at_logits,
            "bias": at_logits.sum(axis=0),
        }

    def _windows(self, parameters: Parameters, ids: Integers) -> Reals:
        """Every word with its neighbours' vectors side by side, [n, L, w * d]; zeros past the ends."""
        words = parameters["embedding"][ids] * _real(ids)
        beyond = self.width // 2
        padded = np.pad(words, ((0, 0), (beyond, beyond), (0, 0)))
        length = ids.shape[1]
        return np.concatenate([padded[:, start : start + length] for start in range(self.width)], axis=2)

    def _answers(self, parameters: Parameters, windows: Reals, ids: Integers) -> Reals:
        """What each filter says of each window, [n, L, f], never below 0: padding says 0."""
        raw = windows @ parameters["filters"] + parameters["threshold"]
        return np.asarray(np.maximum(raw, 0.0) * _real(ids))

    def _at_embedding(self, parameters: Parameters, ids: Integers, at_windows: Reals) -> Reals:
        rows, length = ids.shape
        padded = np.zeros((rows, length + self.width - 1, self.dimension))
        for start, part in enumerate(np.split(at_windows, self.width, axis=2)):
            padded[:, start : start + length] += part
        beyond = self.width // 2
        gradient = np.zeros_like(parameters["embedding"])
        np.add.at(gradient, ids, padded[:, beyond : beyond + length] * _real(ids))
        return gradient


def _at_strongest(answers: Reals, at_features: Reals) -> Reals:
    """Lead the features' gradient [n, f] back to the window that gave each one, [n, L, f]."""
    gradient = np.zeros_like(answers)
    strongest = answers.argmax(axis=1)[:, None, :]
    spoken = (answers.max(axis=1) > 0.0)[:, None, :]
    np.put_along_axis(gradient, strongest, at_features[:, None, :] * spoken, axis=1)
    return gradient


def _real(ids: Integers) -> Reals:
    return np.asarray((ids != 0)[:, :, None], dtype=np.float64)
