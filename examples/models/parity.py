"""Does onnxruntime answer as the training side did? Asked before a bundle is written.

Knows nothing of files. Each text is asked alone and in a padded batch with all the others.
"""

from collections.abc import Sequence

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from examples.models import tokenizer
from examples.models.arrays import Reals

LARGEST = 1e-4


class ParityError(Exception):
    """The graph does not compute what was trained."""


def check(model: bytes, words: Tokenizer, *, texts: Sequence[str], expected: Reals) -> float:
    """Return the largest difference of a logit [n, labels]; raise ParityError above LARGEST."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    alone = np.concatenate([logits(session, words, [text]) for text in texts])
    together = logits(session, words, texts)
    largest = float(max(np.abs(alone - expected).max(), np.abs(together - expected).max()))
    if not largest <= LARGEST:
        raise ParityError(f"onnxruntime and training differ by {largest:.2e} in a logit, over {LARGEST}")
    return largest


def logits(session: onnxruntime.InferenceSession, words: Tokenizer, texts: Sequence[str]) -> Reals:
    """Return the graph's logits [n, labels] of n texts, as one padded batch."""
    ids = tokenizer.encode(words, texts)
    (answer,) = session.run(None, {"input_ids": ids, "attention_mask": tokenizer.mask(ids)})
    return np.asarray(answer, dtype=np.float64)
