"""FastAPI as its documentation begins: one endpoint, a run for each request, in the thread pool."""

import os
import time

import uvicorn
from classifier import Classifier
from fastapi import FastAPI
from pydantic import BaseModel

VERSION = "1"


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


app = FastAPI()
classifier = Classifier()


def answer(texts: list[str]) -> Response:
    """Run the texts together and describe each."""
    began = time.perf_counter()
    found = classifier.predict(texts)
    predictions = [
        Prediction(text=text, label=label, score=score, model_version=VERSION)
        for text, (label, score) in zip(texts, found, strict=True)
    ]
    return Response(predictions=predictions, processing_time_ms=(time.perf_counter() - began) * 1000)


if os.environ.get("BENCH_INLINE"):  # on the event loop: nothing else is answered while the model runs

    @app.post("/v1/predict")
    async def predict_inline(request: Request) -> Response:
        """Classify texts."""
        return answer(request.texts)

else:

    @app.post("/v1/predict")
    def predict(request: Request) -> Response:
        """Classify texts."""
        return answer(request.texts)


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


if __name__ == "__main__":
    port = int(os.environ["BENCH_PORT"])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
