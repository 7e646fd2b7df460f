"""LitServe: a worker process behind its server, batching as LITSERVE's own settings say."""

import os

import litserve
from classifier import Answer, Classifier

MAX_BATCH = int(os.environ.get("BENCH_MAX_BATCH", "1"))
MAX_WAIT = float(os.environ.get("BENCH_MAX_WAIT_MS", "0")) / 1000


class TextClassification(litserve.LitAPI):
    """The model's steps, in the names that LitServe calls."""

    def setup(self, device: str) -> None:  # noqa: ARG002
        self.classifier = Classifier()

    def decode_request(self, request: dict) -> str:
        return request["texts"][0]

    def batch(self, inputs: list[str]) -> list[str]:
        return list(inputs)

    def predict(self, texts: str | list[str]) -> Answer | list[Answer]:
        if MAX_BATCH == 1:
            return self.classifier.predict([texts])[0]
        return self.classifier.predict(texts)

    def unbatch(self, output: list[Answer]) -> list[Answer]:
        return output

    def encode_response(self, output: Answer) -> dict:
        return {"predictions": [{"label": output[0], "score": output[1], "model_version": "1"}]}


if __name__ == "__main__":
    api = TextClassification(max_batch_size=MAX_BATCH, batch_timeout=MAX_WAIT)
    server = litserve.LitServer(
        api,
        accelerator="cpu",
        workers_per_device=1,
        fast_queue=bool(os.environ.get("BENCH_FAST_QUEUE")),
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        num_api_servers=1,
        log_level="warning",
        access_log=False,
        generate_client_file=False,
    )
