"""What every peer computes: texts to labels with tokenizers and onnxruntime, one thread a run.

Imported by each peer in its own environment, so it may import nothing of this repository.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import numpy.typing as npt
import onnxruntime
import tokenizers

_MAX_TOKENS = 128

Answer = tuple[str, float]


class Classifier:
    """A model in memory. `predict` may be called by several threads at a time."""

    def __init__(self, folder: str | Path | None = None) -> None:
        """`folder` is the bundle; without it, the environment's BENCH_MODEL."""
        folder = Path(folder or os.environ["BENCH_MODEL"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_length=_MAX_TOKENS)
        self._labels = list(json.loads((folder / "config.json").read_text())["id2label"].values())
        self.predict(["warm up"])

    def predict(self, texts: list[str]) -> list[Answer]:
        """The label and score of each text; all of them in one run, padded to the longest."""
        return self.decode(self.run(self.encode(texts)))

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]

    def run(self, rows: list[list[int]]) -> npt.NDArray[np.float32]:
        """Logits [n, labels] of rows of token ids."""
        shape = (len(rows), max(map(len, rows)))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        logits: npt.NDArray[np.float32] = self._session.run(
            ["logits"], {"input_ids": ids, "attention_mask": mask}
        )[0]
        return logits

    def decode(self, logits: npt.NDArray[np.float32]) -> list[Answer]:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = powers / powers.sum(axis=1, keepdims=True)
        best = scores.argmax(axis=1)
        return [(self._labels[index], float(row[index])) for index, row in zip(best, scores, strict=True)]
