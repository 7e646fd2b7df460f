"""Texts to token ids, exactly as the bundle's tokenizer.json says, and token ids to tensors.

Truncation is set once and padding is done here: a tokenizer that is changed per call fails with
"Already borrowed" as soon as two threads use it. Knows nothing of sessions or requests.
"""

import os
import pathlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from slipway_runtime.failures import Reason, StartupError

# One pool of threads (onnxruntime's) is sized to the container; the tokenizer's own would be
# sized to the host. Read when the library is first used, so it must stand before the import.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
import tokenizers

Ids = npt.NDArray[np.int64]

_PAD_TOKENS = ("[PAD]", "<pad>", "<|endoftext|>")


class TextEncoder:
    """The tokenizer of one bundle."""

    def __init__(self, path: pathlib.Path, *, max_tokens: int) -> None:
        """Raises StartupError(ModelLoadFailed) when `path` is not a tokenizer."""
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exceptions
            raise StartupError(
                Reason.MODEL_LOAD_FAILED, f"{path.name} is not a tokenizer: {error}", subject=path.name
            ) from error
        self.pad_id = self._find_pad_id()
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """One array of ids a text, each of 1 to `max_tokens`. Safe in any thread."""
        return [self._ids(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def _ids(self, ids: list[int]) -> Ids:
        # A tokenizer without special tokens turns "" into nothing, which no model can read.
        return np.asarray(ids or [self.pad_id], dtype=np.int64)

    def _find_pad_id(self) -> int:
        if self._tokenizer.padding is not None:
            return int(self._tokenizer.padding["pad_id"])
        found = (self._tokenizer.token_to_id(token) for token in _PAD_TOKENS)
        return next((token for token in found if token is not None), 0)


def pad(rows: Sequence[Ids], *, pad_id: int) -> tuple[Ids, Ids]:
    """Rows of any lengths to `input_ids` and `attention_mask`, both [n, longest]; mask 0 is padding."""
    shape = (len(rows), max(len(row) for row in rows))
    ids = np.full(shape, pad_id, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask
