"""Text to token ids, as the bundle's `tokenizer.json` does it at serving time too.

Knows nothing of labels or models. Words are lower-cased and a shortened negation is spelled out
(`isn't` becomes `is not`), so that the models meet one word for "not". A leading [CLS] gives even
an empty text one token.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from examples.models import arrays

PAD, UNKNOWN, START = 0, 1, 2
MAX_TOKENS = 128
# In the vocabulary but not "added" tokens: a text that says "[PAD]" must not be able to pad.
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]")
_SHORT_NOT = "n['\u2019]t\\b"  # with either apostrophe


def learn(texts: Iterable[str]) -> Tokenizer:
    """Return a word-level tokenizer of every word in `texts`, the most frequent first."""
    tokenizer = Tokenizer(models.WordLevel({}, "[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(Regex(_SHORT_NOT), " not")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    words = Counter(word for text in texts for word in _words(tokenizer, text))
    ranked = sorted(words, key=lambda word: (-words[word], word))
    vocabulary = {word: index for index, word in enumerate((*_SPECIAL, *ranked))}
    tokenizer.model = models.WordLevel(vocabulary, "[UNK]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", START)]
    )
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> arrays.Integers:
    """Return ids int64 [n, L], right-padded with PAD, where L <= MAX_TOKENS is the longest text's."""
    rows = [encoding.ids[:MAX_TOKENS] for encoding in tokenizer.encode_batch(list(texts))]
    ids = np.full((len(rows), max(map(len, rows))), PAD, dtype=np.int64)
    for row, tokens in zip(ids, rows, strict=True):
        row[: len(tokens)] = tokens
    return ids


def mask(ids: arrays.Integers) -> arrays.Integers:
    """Return the attention mask int64 [n, L] of padded ids: 1 for a token, 0 for padding."""
    return np.asarray(ids != PAD, dtype=np.int64)


def _words(tokenizer: Tokenizer, text: str) -> list[str]:
    normalized = tokenizer.normalizer.normalize_str(text)
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalized)]
