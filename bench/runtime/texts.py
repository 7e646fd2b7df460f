"""Texts and a tokenizer made of invented words: the same for everybody, on every machine.

Their lengths are spread as those of sentences are (log-normal, a mean of 39 tokens, at most 128),
because ragged lengths are what batching is about. Knows no model.
"""

import random

import numpy as np
import tokenizers

VOCABULARY = 8192
MAX_TOKENS = 128
COUNT = 512

_SEED = 20
_MEDIAN, _SPREAD = 33.5, 0.65
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_FRAMING = 2  # [CLS] and [SEP]


def texts() -> list[str]:
    """512 texts; the number of tokens of each is drawn, its words are what fits."""
    chance = np.random.default_rng(_SEED)
    lengths = np.clip(chance.lognormal(np.log(_MEDIAN), _SPREAD, COUNT).round(), 4, MAX_TOKENS)
    words = _words()
    return [_sentence(words, int(length) - _FRAMING, chance) for length in lengths]


def tokenizer() -> tokenizers.Tokenizer:
    """A WordPiece tokenizer as BERT's, whose vocabulary is the invented words and the letters."""
    pieces = [*_SPECIAL, *_LETTERS, *(f"##{letter}" for letter in _LETTERS), *_words()]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token=_SPECIAL[1]))
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    )
    return made


def _words() -> list[str]:
    """As many different words as the vocabulary has room for."""
    chance = random.Random(_SEED)  # noqa: S311
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    wanted = VOCABULARY - len(_SPECIAL) - 2 * len(_LETTERS)
    words: dict[str, None] = {}
    while len(words) < wanted:
        words["".join(chance.choices(syllables, k=chance.randint(2, 4)))] = None
    return list(words)


def _sentence(words: list[str], length: int, chance: np.random.Generator) -> str:
    """Words that are rarer the later they stand in the list, so many that they are `length` tokens."""
    ranks = np.minimum(chance.zipf(1.3, length) - 1, len(words) - 1)
    return " ".join(words[rank] for rank in ranks)
