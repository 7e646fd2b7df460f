"""Texts to classifications through one model's queue: the code path of every request.

The golden examples go through here too, before the pod is ready. Knows nothing of HTTP.
"""

import asyncio
from collections.abc import Sequence

from slipway_runtime.engine.model import Classification, Model, Row
from slipway_runtime.scheduling.batcher import Batcher

# Encoding takes some 100 µs a short text: up to this many characters a thread costs more than it saves.
_INLINE_CHARACTERS = 4096


class Predictor:
    """One served version of a model."""

    def __init__(self, model: Model, batcher: Batcher, *, version: str) -> None:
        self.version = version
        self._model = model
        self._batcher = batcher

    async def predict(self, texts: Sequence[str]) -> list[Classification]:
        """One classification a text, in order. Cancelling it takes its rows out of the queue.

        Raises QueueFullError, and what the model raised for one of these texts.
        """
        self._batcher.admit(len(texts))  # before the work of encoding what would be refused
        with self._batcher.arrival():
            answers = self._batcher.enqueue(await self._encode(texts))
        return [self._model.decode(answer) for answer in await answers]

    async def stop(self) -> None:
        await self._batcher.stop()

    async def _encode(self, texts: Sequence[str]) -> list[Row]:
        if sum(map(len, texts)) <= _INLINE_CHARACTERS:
            return self._model.encode(texts)
        return await asyncio.to_thread(self._model.encode, texts)
