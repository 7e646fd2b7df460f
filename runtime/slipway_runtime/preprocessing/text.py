"""Texts to token ids, exactly as the bundle's tokenizer.json says, and token ids to tensors.

Truncation is set once and padding is done here: a tokenizer that is changed per call fails with
"Already borrowed" as soon as two threads use it. Knows nothing of sessions or requests.
"""

import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
        said = self._tokenizer.padding or {}
        self.pad_id = int(said.get("pad_id", self._find_pad_id()))
        self.pad_type = int(said.get("pad_type_id", 0))
        self.pads_left = said.get("direction") == "left"
        self._tokenizer.no_padding()
        self.max_tokens = self._truncate(max_tokens)

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """One array of ids a text, each of 1 to `max_tokens`. Safe in any thread."""
        encodings = self._tokenizer.encode_batch_fast(texts)
        # A tokenizer without special tokens turns "" into nothing, which no model can read.
        return [np.array(encoding.ids or (self.pad_id,), dtype=np.int64) for encoding in encodings]

    def encode_typed(self, texts: Sequence[str]) -> list[tuple[Ids, Ids]]:
        """The same with the type of each token, for models that were trained on pairs of texts."""
        return [
            (
                np.array(encoding.ids or (self.pad_id,), dtype=np.int64),
                np.array(encoding.type_ids or (self.pad_type,), dtype=np.int64),
            )
            for encoding in self._tokenizer.encode_batch_fast(texts)
        ]

    def _truncate(self, max_tokens: int) -> int:
        """By the file's own rules, but to no more than `max_tokens`. Returns to how many."""
        said = self._tokenizer.truncation or {}
        most = max(1, min(int(said.get("max_length", max_tokens)), max_tokens))
        self._tokenizer.enable_truncation(
            max_length=most,
            strategy=said.get("strategy", "longest_first"),
            direction=said.get("direction", "right"),
        )
        return most

    def _find_pad_id(self) -> int:
        found = (self._tokenizer.token_to_id(token) for token in _PAD_TOKENS)
        return next((token for token in found if token is not None), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Padding:
    """How rows of these lengths become one tensor [n, longest]."""

    real: npt.NDArray[np.bool_] | None
    shape: tuple[int, int]

    @classmethod
    def of(cls, lengths: Sequence[int], *, left: bool = False) -> "Padding":
        shape = (len(lengths), max(lengths))
        if min(lengths) == shape[1]:
            return cls(None, shape)
        places, sizes = np.arange(shape[1]), np.array(lengths)[:, np.newaxis]
        return cls(places >= shape[1] - sizes if left else places < sizes, shape)

    def fill(self, rows: Sequence[Ids], filler: int, dtype: Any) -> npt.NDArray[Any]:
        """The rows beside `filler`. Of one row, or of rows of one length, only what must be is copied."""
        if self.real is None:
            joined = rows[0] if len(rows) == 1 else np.concatenate(rows)
            return joined.reshape(self.shape).astype(dtype, copy=False)
        filled = np.full(self.shape, filler, dtype=dtype)
        filled[self.real] = np.concatenate(rows)
        return filled

    def mask(self, dtype: Any) -> npt.NDArray[Any]:
        """1 for a token, 0 for padding."""
        return np.ones(self.shape, dtype=dtype) if self.real is None else self.real.astype(dtype)
