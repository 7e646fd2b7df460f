"""Texts to token ids, exactly as the bundle's files say, and token ids to tensors.

tokenizer_config.json comes before the padding and truncation of tokenizer.json, as in transformers.
Truncation is set once and padding is done here: a tokenizer that is changed per call fails with
"Already borrowed" as soon as two threads use it. Knows nothing of sessions or requests.
"""

import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway_runtime.artifacts.tokenization import Tokenization
from slipway_runtime.failures import Reason, StartupError

# One pool of threads (onnxruntime's) is sized to the container; the tokenizer's own would be
# sized to the host. Read when the library is first used, so it must stand before the import.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
import tokenizers

Ids = npt.NDArray[np.int64]

# Where no file names one. <|endoftext|> is none of them: models that have it were trained without padding.
_PAD_TOKENS = ("[PAD]", "<pad>")
_NONE = 0  # where there is no pad token: a text of no token must be read as something
_NO_TOKENIZATION = Tokenization()


class TextEncoder:
    """The tokenizer of one bundle.

    `unpadded` says why rows of different lengths must not be put into one tensor; "" when they may.
    """

    def __init__(self, path: pathlib.Path, *, max_tokens: int, said: Tokenization = _NO_TOKENIZATION) -> None:
        """`said` stands beside it. Raises StartupError(ModelLoadFailed) when `path` is not a tokenizer."""
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exceptions
            raise StartupError(
                Reason.MODEL_LOAD_FAILED, f"{path.name} is not a tokenizer: {error}", subject=path.name
            ) from error
        own = self._tokenizer.padding or {}
        pad_id, self.unpadded = self._find_padding(own, said)
        self.can_pad = pad_id is not None
        self.pad_id = _NONE if pad_id is None else pad_id
        self.pad_type = int(own.get("pad_type_id", 0)) if said.pad_type is None else said.pad_type
        usual = own["direction"] == "left" if "direction" in own else said.usually_left
        self.pads_left = usual if said.pads_left is None else said.pads_left
        self._tokenizer.no_padding()
        self.max_tokens = self._truncate(max_tokens, said)

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

    def _truncate(self, max_tokens: int, said: Tokenization) -> int:
        """To no more than `max_tokens`, and by what the files say besides. Returns to how many."""
        own = self._tokenizer.truncation or {}
        usual = max_tokens if said.max_tokens is not None else int(own.get("max_length", max_tokens))
        most = max(1, min(usual, max_tokens))
        side = own.get("direction", "right")
        if said.cuts_left is not None:
            side = "left" if said.cuts_left else "right"
        self._tokenizer.enable_truncation(
            max_length=most, strategy=own.get("strategy", "longest_first"), direction=side
        )
        return most

    def _find_padding(self, own: Mapping[str, Any], said: Tokenization) -> tuple[int | None, str]:
        """The id of the pad token, and why it must not be used: a graph may look for another one."""
        pad_id = self._find_pad_id(own, said)
        named = said.pad_token
        if pad_id is None:
            if named is None:
                return None, "no file names its pad token"
            return None, f"its tokenizer pads with {named!r}, and tokenizer.json has no {named!r}"
        if named is None and own and self._id(own["pad_token"]) not in (None, pad_id):
            return pad_id, f"tokenizer.json pads with {pad_id}, which is not its {own['pad_token']!r}"
        if said.model_unpadded:
            return pad_id, "config.json names no pad_token_id"
        if said.model_pad_id not in (None, pad_id):
            return pad_id, (
                f"its tokenizer pads with {pad_id}, and pad_token_id of config.json is {said.model_pad_id}"
            )
        return pad_id, ""

    def _find_pad_id(self, own: Mapping[str, Any], said: Tokenization) -> int | None:
        if said.pad_token is not None:
            return self._id(said.pad_token)
        if own:
            return int(own["pad_id"])
        if said.model_pad_id is not None:
            return said.model_pad_id
        return next((found for token in _PAD_TOKENS if (found := self._id(token)) is not None), None)

    def _id(self, token: str) -> int | None:
        found: int | None = self._tokenizer.token_to_id(token)
        return found


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
