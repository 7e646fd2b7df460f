"""A loaded text classifier: encode, run, decode. Everything of one model version in one object.

Knows no queue: what is run together is decided above, in scheduling.
"""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from slipway_runtime.artifacts.bundle import Bundle
from slipway_runtime.artifacts.manifest import Postprocessing
from slipway_runtime.engine.model import (
    Answer,
    Array,
    Classification,
    InvalidInputError,
    NotANumberError,
    Row,
    RunControl,
    Signature,
    TensorSpec,
    Timing,
)
from slipway_runtime.engine.session import Logits, Session, SessionOptions
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.preprocessing.text import TextEncoder, pad


class Classifier:
    """One model version in memory."""

    is_text = True

    def __init__(self, bundle: Bundle, options: SessionOptions) -> None:
        """Load the bundle. Takes seconds: use a thread. Raises StartupError."""
        self.labels = bundle.description.labels
        self._postprocessing = bundle.description.postprocessing
        self.max_tokens = bundle.description.max_tokens
        self._encoder = TextEncoder(bundle.tokenizer, max_tokens=self.max_tokens)
        self._session = Session(bundle.model, options)
        self.provider = self._session.provider
        self.signature = Signature(
            inputs=(TensorSpec("text", "BYTES", (-1,)),),
            outputs=(
                TensorSpec("label", "BYTES", (-1,)),
                TensorSpec("score", "FP32", (-1,)),
                TensorSpec("scores", "FP32", (-1, len(self.labels))),
            ),
            batched=True,
        )

    def encode(self, texts: Sequence[str]) -> list[Row]:
        return [Row(values=(ids,), length=len(ids)) for ids in self._encoder.encode(texts)]

    def run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
        ids, mask = pad([row.values[0] for row in rows], pad_id=self._encoder.pad_id)
        logits = self._session.run(ids, mask, control)
        if not np.isfinite(logits).all():
            raise NotANumberError("the model's answer is not a number")
        activate = _softmax if self._postprocessing is Postprocessing.SOFTMAX else _sigmoid
        return [(scores,) for scores in activate(logits)]

    def decode(self, answer: Answer) -> Classification:
        scores: list[float] = answer[0].tolist()
        best = max(scores)
        label = self.labels[scores.index(best)]
        return Classification(label=label, score=best, scores=tuple(scores), labels=(label,))

    def rows(self, inputs: Mapping[str, Array]) -> list[Row]:
        try:
            return self.encode([text.decode() for text in inputs["text"].tolist()])
        except UnicodeDecodeError as error:
            raise InvalidInputError(f"text: it is not UTF-8: {error}") from error

    def outputs(self, answers: Sequence[Answer]) -> dict[str, Array]:
        scores = np.stack([answer[0] for answer in answers]).astype(np.float32)
        labels = np.array([label.encode() for label in self.labels], dtype=object)
        return {"label": labels[scores.argmax(axis=1)], "score": scores.max(axis=1), "scores": scores}

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
            logits = self._session.run(ids, np.ones_like(ids), RunControl())
        except Exception as error:  # onnxruntime's exceptions share no base but this
            raise _unusable(f"a run of {rows} rows of {tokens} tokens failed: {error}") from error
        seconds = time.perf_counter() - began
        if logits.shape != (rows, len(self.labels)):
            raise _unusable(
                f"its logits are {list(logits.shape)} for {rows} rows and {len(self.labels)} labels"
            )
        return Timing(rows=rows, tokens=tokens, seconds=seconds)


def _softmax(logits: Logits) -> npt.NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    scores: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return scores


def _sigmoid(logits: Logits) -> npt.NDArray[np.float64]:
    scores: npt.NDArray[np.float64] = 1.0 / (1.0 + np.exp(-logits.astype(np.float64).clip(-500, 500)))
    return scores


def _unusable(what: str) -> StartupError:
    return StartupError(Reason.MODEL_LOAD_FAILED, f"model.onnx: {what}", subject="model.onnx")
