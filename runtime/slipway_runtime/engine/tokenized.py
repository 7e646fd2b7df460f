"""Text classifiers that read tokens: the bundle's tokenizer in front of an ONNX model of token ids.

This is what `optimum-cli export onnx` writes. Texts are padded by the batch, never by the tokenizer.
"""

from collections.abc import Sequence

import numpy as np

from slipway_runtime.artifacts.bundle import Bundle
from slipway_runtime.artifacts.completion import DEFAULT_MAX_TOKENS
from slipway_runtime.engine import batching
from slipway_runtime.engine.model import Answer, Batching, Row, RunControl
from slipway_runtime.engine.scores import Scoring
from slipway_runtime.engine.session import Session, SessionOptions, unusable
from slipway_runtime.engine.text import TextClassifier, find_scores
from slipway_runtime.preprocessing.text import Ids, Padding, TextEncoder

_IDS, _MASK, _TYPES = "input_ids", "attention_mask", "token_type_ids"
_INPUTS = frozenset({_IDS, _MASK, _TYPES})


class TokenClassifier(TextClassifier):
    """A Model of form TOKENS. Its rows are (ids [tokens],), and (ids, type ids) if the model reads those."""

    def __init__(self, bundle: Bundle, options: SessionOptions) -> None:
        """Load the bundle. Takes seconds: use a thread. Raises StartupError."""
        description = bundle.description
        encoder = TextEncoder(
            bundle.tokenizer,
            max_tokens=description.max_tokens or DEFAULT_MAX_TOKENS,
            said=description.tokenization,
        )
        session = Session(bundle.model, options)
        super().__init__(session, Scoring.of(description), max_length=encoder.max_tokens)
        self._encoder = encoder
        self._dtypes = {port.name: port.dtype for port in session.inputs}
        self._typed = _TYPES in self._dtypes
        self._output = (find_scores(session, description.scores),)
        if _IDS not in self._dtypes or self._dtypes.keys() - _INPUTS:
            raise unusable(
                f"{session.describe()}; with a tokenizer.json it should read input_ids and attention_mask"
            )
        self._limit(*self._company(bundle))

    def encode(self, texts: Sequence[str]) -> list[Row]:
        if self._typed:
            return [self._row(*pair) for pair in self._encoder.encode_typed(texts)]
        return [self._row(ids) for ids in self._encoder.encode(texts)]

    def _row(self, *values: Ids) -> Row:
        length = len(values[0])
        return Row(values, length, length if self.batching is Batching.SAME_LENGTH else None)

    def _company(self, bundle: Bundle) -> tuple[Batching, str]:
        """Which rows may run together, and why no others. What slipway.yaml says about it holds."""
        said, found = bundle.description.batched, batching.look(bundle.model)
        if said is False:
            return Batching.NONE, "slipway.yaml says so"
        if not said and found.mixing:
            return Batching.NONE, batching.because(found.mixing)
        if not said and _MASK not in found.read_by(self._output[0]) & self._dtypes.keys():
            return Batching.SAME_LENGTH, "it reads no attention_mask, so that padding would count as text"
        if self._encoder.unpadded and not (said and self._encoder.can_pad):
            return Batching.SAME_LENGTH, self._encoder.unpadded
        if not said and self._encoder.pads_left:  # where positions are numbered, its tokens would move
            return Batching.SAME_LENGTH, "it is padded on the left, which may number its tokens anew"
        return Batching.ANY, ""

    def _run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
        padding = Padding.of([row.length for row in rows], left=self._encoder.pads_left)
        feed = {_IDS: padding.fill([row.values[0] for row in rows], self._encoder.pad_id, self._dtypes[_IDS])}
        if _MASK in self._dtypes:
            feed[_MASK] = padding.mask(self._dtypes[_MASK])
        if self._typed:
            kinds = [row.values[1] for row in rows]
            feed[_TYPES] = padding.fill(kinds, self._encoder.pad_type, self._dtypes[_TYPES])
        (numbers,) = self._session.run(self._output, feed, control)
        return self._scoring.answers(numbers, rows=len(rows))

    def _sample(self, length: int) -> Row:
        ids = np.full(length, self._encoder.pad_id, dtype=np.int64)
        return Row((ids, np.zeros_like(ids)) if self._typed else (ids,), length)
