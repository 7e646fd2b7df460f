"""A loaded text classifier: encode, run, decode. Everything of one model version in one object.

Knows no queue: what is run together is decided above, in scheduling.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slipway_runtime.artifacts.bundle import Bundle
from slipway_runtime.artifacts.manifest import Postprocessing
from slipway_runtime.engine.session import Logits, Session, SessionOptions
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.preprocessing.text import Ids, TextEncoder, pad


@dataclass(frozen=True, slots=True)
class Classification:
    """The best label of one text and its score in 0…1."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one run of `rows` by `tokens` took."""

    rows: int
    tokens: int
    seconds: float


class NotANumberError(Exception):
    """The model answered a row with NaN or infinity."""


class Classifier:
    """One model version in memory."""

    def __init__(self, bundle: Bundle, options: SessionOptions) -> None:
        """Load the bundle. Takes seconds: use a thread. Raises StartupError."""
        self._labels = bundle.description.labels
        self._postprocessing = bundle.description.postprocessing
        self.max_tokens = bundle.description.max_tokens
        self._encoder = TextEncoder(bundle.tokenizer, max_tokens=self.max_tokens)
        self._session = Session(bundle.model, options)
        self.provider = self._session.provider

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Safe in any thread."""
        return self._encoder.encode(texts)

    def run(self, rows: Sequence[Ids]) -> list[Logits]:
        """The logits of each row, [labels]. For one thread at a time.

        Raises NotANumberError when an answer is none, and whatever onnxruntime raises.
        """
        ids, mask = pad(rows, pad_id=self._encoder.pad_id)
        logits = self._session.run(ids, mask)
        if not np.isfinite(logits).all():
            raise NotANumberError("the model's answer is not a number")
        return list(logits)

    def decode(self, logits: Logits) -> Classification:
        scores = _softmax(logits) if self._postprocessing is Postprocessing.SOFTMAX else _sigmoid(logits)
        best = int(scores.argmax())
        return Classification(label=self._labels[best], score=float(scores[best]))

    def warm_up(self, *, max_rows: int, budget_s: float) -> list[Timing]:
        """Run a few shapes, so that no request pays for what is done lazily, and time them.

        Stops after `budget_s` seconds: a slow model must not be kept from serving by its warm-up.
        Raises StartupError(ModelLoadFailed) when it cannot run or its logits do not fit its labels.
        """
        timings: list[Timing] = []
        began = time.monotonic()
        for rows, tokens in self._warm_up_shapes(max_rows):
            timings.append(self._time(rows, tokens))
            if time.monotonic() - began > budget_s:
                break
        return timings

    def _warm_up_shapes(self, max_rows: int) -> list[tuple[int, int]]:
        short, middle, most = min(8, self.max_tokens), min(32, self.max_tokens), self.max_tokens
        few = min(4, max_rows)
        # The first run of a session is not typical, so the first shape comes twice.
        shapes = [
            (1, short),
            (1, short),
            (1, most),
            (1, middle),
            (few, short),
            (max_rows, short),
            (few, middle),
        ]
        return [*shapes, (max_rows, middle)]

    def _time(self, rows: int, tokens: int) -> Timing:
        ids = np.full((rows, tokens), self._encoder.pad_id, dtype=np.int64)
        began = time.perf_counter()
        try:
            logits = self._session.run(ids, np.ones_like(ids))
        except Exception as error:  # onnxruntime's exceptions share no base but this
            raise _unusable(f"a run of {rows} rows of {tokens} tokens failed: {error}") from error
        seconds = time.perf_counter() - began
        if logits.shape != (rows, len(self._labels)):
            raise _unusable(
                f"its logits are {list(logits.shape)} for {rows} rows and {len(self._labels)} labels"
            )
        return Timing(rows=rows, tokens=tokens, seconds=seconds)


def _softmax(logits: Logits) -> npt.NDArray[np.float64]:
    powers: npt.NDArray[np.float64] = np.exp(logits.astype(np.float64) - logits.max())
    total: npt.NDArray[np.float64] = powers / powers.sum()
    return total


def _sigmoid(logits: Logits) -> npt.NDArray[np.float64]:
    scores: npt.NDArray[np.float64] = 1.0 / (1.0 + np.exp(-logits.astype(np.float64).clip(-500, 500)))
    return scores


def _unusable(what: str) -> StartupError:
    return StartupError(Reason.MODEL_LOAD_FAILED, f"model.onnx: {what}", subject="model.onnx")
