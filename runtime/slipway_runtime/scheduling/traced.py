"""A predictor whose inferences are spans: how long each waited and how long it ran. Made only while
tracing is on."""

from collections.abc import Mapping, Sequence

from slipway_runtime.engine.model import Array, Model
from slipway_runtime.scheduling.batcher import Batcher
from slipway_runtime.scheduling.calls import PATIENT, Call, Spent
from slipway_runtime.scheduling.predictor import Predictor, TensorAnswer, TextAnswer
from slipway_runtime.telemetry.tracing import Attributes, Inference, Tracing


class TracedPredictor(Predictor):
    """As a Predictor in everything else."""

    def __init__(
        self, model: Model, batcher: Batcher, *, tracing: Tracing, name: str, version: str, digest: str = ""
    ) -> None:
        super().__init__(model, batcher, name=name, version=version, digest=digest)
        self._tracing = tracing

    async def predict(self, texts: Sequence[str], call: Call = PATIENT) -> TextAnswer:
        with self._tracing.inference(self._attributes(len(texts))) as span:
            answer = await super().predict(texts, call)
            _note(span, answer.spent)
        return answer

    async def infer(self, inputs: Mapping[str, Array], call: Call = PATIENT) -> TensorAnswer:
        with self._tracing.inference(self._attributes(self._count(inputs))) as span:
            answer = await super().infer(inputs, call)
            _note(span, answer.spent)
        return answer

    def _attributes(self, rows: int) -> Attributes:
        return {"slipway.model": self.name, "slipway.version": self.version, "slipway.rows": rows}


def _note(span: Inference, spent: Spent) -> None:
    span.spent(queue_seconds=spent.queue_seconds, run_seconds=spent.run_seconds)
