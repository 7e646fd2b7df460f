"""KServe's Python server with a custom model, in both of its protocols."""

import asyncio
import logging
import os

import kserve
import numpy as np
from classifier import Classifier
from kserve import InferOutput, InferRequest, InferResponse


class TextClassification(kserve.Model):
    """Instances of the first protocol, or BYTES of the second."""

    def __init__(self) -> None:
        super().__init__("classifier")
        self.classifier = Classifier()
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):  # noqa: ARG002
        if isinstance(payload, InferRequest):
            texts = [item.decode() if isinstance(item, bytes) else item for item in payload.inputs[0].data]
            return self._described(await asyncio.to_thread(self.classifier.predict, texts))
        found = await asyncio.to_thread(self.classifier.predict, payload["instances"])
        return {"predictions": [{"label": label, "score": score} for label, score in found]}

    def _described(self, found: list) -> InferResponse:
        labels = InferOutput("label", [len(found)], "BYTES", data=[label for label, _ in found])
        scores = InferOutput("score", [len(found)], "FP32")
        scores.set_data_from_numpy(np.array([score for _, score in found], np.float32), binary_data=False)
        return InferResponse("1", "classifier", [labels, scores])


if __name__ == "__main__":
    port = int(os.environ["BENCH_PORT"])
    server = kserve.ModelServer(
        http_port=port, grpc_port=port + 1, workers=1, access_log_format=None, enable_grpc=False
    )
    logging.getLogger("kserve").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
    server.start([TextClassification()])
