"""The model as MLServer loads it."""

import asyncio

import numpy as np
from classifier import Classifier
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse


class TextClassification(MLModel):
    """Texts in the Open Inference Protocol's BYTES."""

    async def load(self) -> bool:
        self.classifier = Classifier()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        texts = StringCodec.decode_input(payload.inputs[0])
        found = await asyncio.to_thread(self.classifier.predict, texts)
        labels = StringCodec.encode_output("label", [label for label, _ in found])
        scores = NumpyCodec.encode_output("score", np.array([score for _, score in found]))
        return InferenceResponse(model_name=self.name, model_version="1", outputs=[labels, scores])
