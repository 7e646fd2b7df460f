"""BentoML: a service with one API, batched or not."""

import os

import bentoml
from classifier import Classifier

MAX_BATCH = int(os.environ.get("BENCH_MAX_BATCH", "0"))
MAX_LATENCY_MS = int(os.environ.get("BENCH_MAX_LATENCY_MS", "60000"))
Predictions = list[dict[str, object]]

batching = {"batchable": True, "max_batch_size": MAX_BATCH, "max_latency_ms": MAX_LATENCY_MS}


@bentoml.service(
    workers=1, traffic={"timeout": 60}, metrics={"enabled": True}, logging={"access": {"enabled": False}}
)
class TextClassification:
    """The model and its one route."""

    def __init__(self) -> None:
        self.classifier = Classifier()

    @bentoml.api(route="/predict", **(batching if MAX_BATCH else {}))
    def predict(self, texts: list[str]) -> Predictions:
        found = self.classifier.predict(texts)
        return [{"label": label, "score": score, "model_version": "1"} for label, score in found]
