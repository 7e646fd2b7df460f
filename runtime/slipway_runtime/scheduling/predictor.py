"""Texts or tensors to answers through one version's queue: the code path of every request.

The golden examples go through here too, before the pod is ready. Knows nothing of HTTP or gRPC.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipway_runtime.engine.model import Answer, Array, Classification, InvalidInputError, Model
from slipway_runtime.scheduling.batcher import Batcher
from slipway_runtime.scheduling.calls import (
    PATIENT,
    Call,
    ClosedError,
    DeadlineExceededError,
    Lane,
    QueueFullError,
    RowFailedError,
    Spent,
)
from slipway_runtime.scheduling.counts import Statistics
from slipway_runtime.scheduling.jobs import Finished

__all__ = [
    "Call",
    "ClosedError",
    "DeadlineExceededError",
    "InvalidInputError",
    "Lane",
    "Predictor",
    "QueueFullError",
    "RowFailedError",
    "Spent",
    "TensorAnswer",
    "TextAnswer",
]

# Encoding takes some 100 µs a short text: up to this many characters a thread costs more than it saves.
_INLINE_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """One result a text, in order; and where the time went."""

    results: tuple[Classification | RowFailedError, ...]
    spent: Spent


@dataclass(frozen=True, slots=True)
class TensorAnswer:
    """The outputs by name, and where the time went."""

    outputs: dict[str, Array]
    spent: Spent


class Predictor:
    """One version in memory: a model and its queue."""

    def __init__(self, model: Model, batcher: Batcher, *, name: str, version: str, digest: str = "") -> None:
        self.model = model
        self.name = name
        self.version = version
        self.digest = digest
        self._batcher = batcher

    @property
    def statistics(self) -> Statistics:
        return self._batcher.statistics

    def arrival(self) -> contextlib.AbstractContextManager[None]:
        """Held from the moment a request is complete until its rows are queued, or it has failed."""
        return self._batcher.arrival()

    async def predict(self, texts: Sequence[str], call: Call = PATIENT) -> TextAnswer:
        """Cancelling it takes its rows out of the queue. A text that breaks the model fails alone.

        Raises QueueFullError, DeadlineExceededError, or ClosedError.
        """
        predicted = self._batcher.admit(len(texts), call)
        if sum(map(len, texts)) <= _INLINE_CHARACTERS:
            rows = self.model.encode(texts)
        else:
            with self._batcher.arrival():
                rows = await asyncio.to_thread(self.model.encode, texts)
            predicted = self._batcher.admit(len(texts), call)  # the queue has changed in the meantime
        done = await self._batcher.run(rows, call, predicted=predicted)
        return TextAnswer(tuple(self._decode(outcome) for outcome in done.outcomes), done.spent)

    async def infer(self, inputs: Mapping[str, Array], call: Call = PATIENT) -> TensorAnswer:
        """`inputs` fit the model's signature. Cancelling it takes its rows out of the queue.

        Raises what `predict` raises, InvalidInputError, and RowFailedError when one row failed.
        """
        predicted = self._batcher.admit(self._count(inputs), call)
        if not self.model.is_text or _characters(inputs) <= _INLINE_CHARACTERS:
            rows = self.model.rows(inputs)
        else:
            with self._batcher.arrival():
                rows = await asyncio.to_thread(self.model.rows, inputs)
            predicted = self._batcher.admit(len(rows), call)
        done = await self._batcher.run(rows, call, predicted=predicted)
        return TensorAnswer(self.model.outputs(_answers(done)), done.spent)

    def overdue(self, now: float) -> float:
        """How late the run under way is, as a multiple of what it was given: from 1 on it is stuck.

        A process should stop being ready at 1, and end at 3: the thread of that session will not
        come back. Safe in any thread. `now` is monotonic.
        """
        return self._batcher.overdue(now)

    async def close(self) -> None:
        """End the queue. What still waits fails with ClosedError."""
        await self._batcher.close()

    def _decode(self, outcome: Answer | RowFailedError) -> Classification | RowFailedError:
        return outcome if isinstance(outcome, RowFailedError) else self.model.decode(outcome)

    def _count(self, inputs: Mapping[str, Array]) -> int:
        first = next(iter(inputs.values()), None)
        return len(first) if self.model.signature.batched and first is not None else 1


def _characters(inputs: Mapping[str, Array]) -> int:
    return sum(len(text) for array in inputs.values() if array.dtype == object for text in array.flat)


def _answers(done: Finished) -> list[Answer]:
    """Raises RowFailedError for the first row that failed."""
    answers: list[Answer] = []
    for outcome in done.outcomes:
        if isinstance(outcome, RowFailedError):
            raise outcome
        answers.append(outcome)
    return answers
