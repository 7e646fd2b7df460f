"""Version 1: the average of a sentence's word vectors, and a linear layer. Blind to word order.

Knows nothing of text, training loops or ONNX. Parameters, with V words, d dimensions, c labels:
`embedding` [V, d], `head` [d, c], `bias` [c].
"""

from dataclasses import dataclass

import numpy as np

from examples.models import arrays
from examples.models.arrays import Integers, Parameters, Reals


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """The shape of the model; its weights live in a Parameters beside it."""

    dimension: int
    labels: int = 2

    def initial(self, *, vocabulary: int, random: np.random.Generator) -> Parameters:
        return {
            "embedding": random.normal(0.0, 0.3, (vocabulary, self.dimension)),
            "head": random.normal(0.0, 0.3, (self.dimension, self.labels)),
            "bias": np.zeros(self.labels),
        }

    def logits(self, parameters: Parameters, ids: Integers) -> Reals:
        """Return logits [n, labels] of ids [n, L], padded with 0."""
        return np.asarray(_mean(parameters, ids) @ parameters["head"] + parameters["bias"])

    def gradients(
        self, parameters: Parameters, ids: Integers, labels: Integers, *, random: np.random.Generator
    ) -> tuple[float, Parameters]:
        """Return the batch's loss in nats and its gradient at every parameter."""
        del random  # nothing is dropped inside this model
        mean = _mean(parameters, ids)
        loss, at_logits = arrays.cross_entropy(mean @ parameters["head"] + parameters["bias"], labels)
        at_words = (at_logits @ parameters["head"].T)[:, None, :] * _weights(ids)
        embedding = np.zeros_like(parameters["embedding"])
        np.add.at(embedding, ids, at_words)
        return loss, {"embedding": embedding, "head": mean.T @ at_logits, "bias": at_logits.sum(axis=0)}


def _mean(parameters: Parameters, ids: Integers) -> Reals:
    return np.asarray((parameters["embedding"][ids] * _weights(ids)).sum(axis=1))


def _weights(ids: Integers) -> Reals:
    """Each token's share of its row, [n, L, 1]: padding has none."""
    real = (ids != 0)[:, :, None].astype(np.float64)
    return np.asarray(real / np.maximum(real.sum(axis=1, keepdims=True), 1.0))
