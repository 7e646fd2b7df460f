"""Text classifiers that read tokens: the bundle's tokenizer in front of an ONNX model of token ids.

This is what `optimum-cli export onnx` writes. Texts are padded by the batch, never by the tokenizer.
"""

from collections.abc import Sequence

import numpy as np

from slipway_runtime.artifacts.bundle import Bundle
from slipway_runtime.engine.model import Answer, Row, RunControl
from slipway_runtime.engine.scores import Scoring
from slipway_runtime.engine.session import Session, SessionOptions, unusable
from slipway_runtime.engine.text import TextClassifier, find_scores
from slipway_runtime.preprocessing.text import Padding, TextEncoder

_IDS, _MASK, _TYPES = "input_ids", "attention_mask", "token_type_ids"
_INPUTS = frozenset({_IDS, _MASK, _TYPES})


class TokenClassifier(TextClassifier):
    """A Model of form TOKENS. Its rows are (ids [tokens],), and (ids, type ids) if the model reads those."""

    def __init__(self, bundle: Bundle, options: SessionOptions) -> None:
        """Load the bundle. Takes seconds: use a thread. Raises StartupError."""
        description = bundle.description
        encoder = TextEncoder(bundle.tokenizer, max_tokens=description.most_tokens)
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

    def encode(self, texts: Sequence[str]) -> list[Row]:
        if self._typed:
            return [Row(pair, len(pair[0])) for pair in self._encoder.encode_typed(texts)]
        return [Row((ids,), len(ids)) for ids in self._encoder.encode(texts)]

    def run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
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
