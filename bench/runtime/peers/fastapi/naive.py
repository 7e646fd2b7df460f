"""FastAPI with the batching loop that everybody writes first: wait for 32 texts or 20 ms, then run them.

The rows are taken as they come, and the run is in a thread, so that the loop can gather meanwhile.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

import uvicorn
from classifier import Answer, Classifier
from fastapi import FastAPI
from pydantic import BaseModel

VERSION = "1"
MAX_BATCH = int(os.environ.get("BENCH_MAX_BATCH", "32"))
MAX_WAIT = float(os.environ.get("BENCH_MAX_WAIT_MS", "20")) / 1000


class Request(BaseModel):
    """What is asked."""

    texts: list[str]
    model_version: str | None = None


class Prediction(BaseModel):
    """The answer for one text."""

    text: str
    label: str
    score: float
    model_version: str


class Response(BaseModel):
    """The answer."""

    predictions: list[Prediction]
    processing_time_ms: float


queue: asyncio.Queue[tuple[str, asyncio.Future[Answer]]] = asyncio.Queue()


async def gather_batches() -> None:
    """Take what comes within the wait, run it, deliver it; for ever."""
    while True:
        batch = [await queue.get()]
        deadline = time.monotonic() + MAX_WAIT
        while len(batch) < MAX_BATCH and (left := deadline - time.monotonic()) > 0:
            try:
                batch.append(await asyncio.wait_for(queue.get(), left))
            except TimeoutError:
                break
        answers = await asyncio.to_thread(classifier.predict, [text for text, _ in batch])
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)


@contextlib.asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Run the loop beside the server."""
    task = asyncio.create_task(gather_batches())
    yield
    task.cancel()


classifier = Classifier()
app = FastAPI(lifespan=lifespan)


@app.post("/v1/predict")
async def predict(request: Request) -> Response:
    """Classify texts."""
    began = time.perf_counter()
    futures = [asyncio.get_running_loop().create_future() for _ in request.texts]
    for text, future in zip(request.texts, futures, strict=True):
        queue.put_nowait((text, future))
    found = await asyncio.gather(*futures)
    predictions = [
        Prediction(text=text, label=label, score=score, model_version=VERSION)
        for text, (label, score) in zip(request.texts, found, strict=True)
    ]
    return Response(predictions=predictions, processing_time_ms=(time.perf_counter() - began) * 1000)


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


if __name__ == "__main__":
    port = int(os.environ["BENCH_PORT"])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
