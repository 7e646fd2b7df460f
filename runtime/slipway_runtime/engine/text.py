"""What every text classifier does alike, however it reads its texts: labels, scores, protocol, warm-up.

A form adds how a text becomes a row, and how rows are run.
"""

import abc
from collections.abc import Mapping, Sequence

import structlog

from slipway_runtime.engine import limited, warmup
from slipway_runtime.engine.model import (
    Answer,
    Array,
    Batching,
    Classification,
    InvalidInputError,
    Row,
    RunControl,
    Timing,
)
from slipway_runtime.engine.ports import Port
from slipway_runtime.engine.scores import Scoring
from slipway_runtime.engine.session import Session, unusable

_USUAL_OUTPUT = "logits"

_log = structlog.get_logger("slipway.text")


class TextClassifier(abc.ABC):
    """A Model that takes text."""

    is_text = True
    batching = Batching.ANY

    def __init__(self, session: Session, scoring: Scoring, *, max_length: int) -> None:
        self._session = session
        self._scoring = scoring
        self._max_length = max_length
        self.provider = session.provider
        self.clock = session.clock
        self.labels = scoring.labels
        self.signature = scoring.signature

    @abc.abstractmethod
    def encode(self, texts: Sequence[str]) -> list[Row]: ...

    def run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
        if self.batching is Batching.NONE and len(rows) > 1:
            return [answer for row in rows for answer in self._run([row], control)]
        return self._run(rows, control)

    @abc.abstractmethod
    def _run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
        """One run of the session."""

    @abc.abstractmethod
    def _sample(self, length: int) -> Row:
        """Some row of `length`."""

    def decode(self, answer: Answer) -> Classification:
        return self._scoring.decode(answer)

    def rows(self, inputs: Mapping[str, Array]) -> list[Row]:
        return self.encode([_decoded(text, index) for index, text in enumerate(inputs["text"].tolist())])

    def outputs(self, answers: Sequence[Answer]) -> dict[str, Array]:
        return self._scoring.outputs(answers)

    def warm_up(self, *, max_rows: int, budget_s: float) -> list[Timing]:
        shapes = warmup.shapes(max_rows=max_rows, max_length=self._max_length)
        return warmup.measure(self._time, shapes, budget_s=budget_s)

    def _limit(self, batching: Batching, reason: str) -> None:
        """Let only such rows run together, and say why."""
        self.batching = batching
        if batching is not Batching.ANY:
            _log.warning("batching_limited", batching=batching.value, reason=reason)

    def _time(self, rows: int, length: int) -> float:
        sample = [self._sample(length)] * rows
        try:
            with limited.control(warmup.LONGEST_RUN_SECONDS) as control:
                began = self.clock()
                self.run(sample, control)
                return self.clock() - began
        except Exception as error:  # onnxruntime's exceptions share no base but this
            raise unusable(f"a run of {rows} rows of {length} tokens failed: {error}") from error


def find_scores(session: Session, wanted: str | None) -> str:
    """The name of the output with one number a label. Raises StartupError when it is not clear."""
    outputs = {port.name: port for port in session.outputs}
    if wanted is not None:
        if wanted not in outputs:
            raise unusable(f"outputs.scores: there is no {wanted!r}; {session.describe()}")
        return wanted
    if _USUAL_OUTPUT in outputs:
        return _USUAL_OUTPUT
    candidates = [port.name for port in session.outputs if _may_be_scores(port)]
    if len(candidates) != 1:
        raise unusable(f"{session.describe()}; name the output with one number a label in outputs.scores")
    return candidates[0]


def _decoded(text: bytes, index: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"text: element {index} is not UTF-8: {error}") from error


def _may_be_scores(port: Port) -> bool:
    return port.is_float and port.fits(-1, -1)
