"""The array types that the models share, and softmax. Knows nothing of sentences or graphs."""

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Parameters = dict[str, Reals]


def softmax(logits: Reals) -> Reals:
    """Return probabilities [n, labels] of logits [n, labels]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def cross_entropy(logits: Reals, labels: Integers) -> tuple[float, Reals]:
    """Return the mean loss in nats and its gradient [n, labels] at the logits."""
    rows = np.arange(len(labels))
    probabilities = softmax(logits)
    loss = -float(np.log(probabilities[rows, labels]).mean())
    probabilities[rows, labels] -= 1.0
    return loss, probabilities / len(labels)
