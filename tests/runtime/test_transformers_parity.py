"""The tokens of a text are those of transformers' AutoTokenizer, which models are trained with.

It runs in an environment of its own, cuts and pads, and saves its tokenizer as it does beside a model, after
that or before; what it has saved is what the runtime reads.
"""

import itertools
import json
import os
import pathlib
import subprocess
from typing import Any

import numpy as np
import pytest
import tokenizers

from slipway_runtime.artifacts import completion, tokenization
from slipway_runtime.artifacts.config import Config
from slipway_runtime.artifacts.manifest import Description, Form
from slipway_runtime.preprocessing.text import Padding, TextEncoder
from tests.runtime import environments

PROGRAM = pathlib.Path(__file__).parent / "transformers_tokens.py"
TEXTS = [
    "the seller was kind and honest",
    "naïve café, très lent",
    "",
    "ДОБРЫЙ день",
    "🙂🙃 mixed ASCII and emoji",
    "line one\nline two\ttabbed",
    "don't, won't, can't!",
    "word " * 400,
]
SPECIAL = {"as BERT": ("[CLS]", "[SEP]"), "as RoBERTa": ("<s>", "</s>"), "none": None}
CASES = [*itertools.product(SPECIAL, (4, 16, 100), ("left", "right"), (True, False))]


@pytest.fixture(scope="module")
def transformers() -> pathlib.Path:
    """Its interpreter. In CI its absence is a failure, elsewhere a skip."""
    try:
        return environments.environment("transformers")
    except subprocess.CalledProcessError as error:
        if os.environ.get("CI"):
            pytest.fail(f"transformers could not be installed, and must be in CI: {error.stderr}")
        pytest.skip("transformers could not be installed here")


@pytest.fixture(scope="module")
def made(
    transformers: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, int, str, bool], tuple[pathlib.Path, dict[str, Any]]]:
    """By case: the folder that transformers has saved, and its tokens."""
    root = tmp_path_factory.mktemp("transformers")
    for name, pair in SPECIAL.items():
        _write(root / name, pair)
    cases: list[dict[str, Any]] = [
        {
            "folder": str(root / name),
            "out": str(root / f"{name} {length} {side} {used}"),
            "length": length,
            "side": side,
            "used": used,
        }
        for name, length, side, used in CASES
    ]
    done = subprocess.run(
        [transformers, PROGRAM],
        input=json.dumps({"texts": TEXTS, "cases": cases}),
        capture_output=True,
        text=True,
        timeout=300,
        env={"HOME": str(root), "HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"]},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {
        case: (pathlib.Path(asked["out"]), tokens)
        for case, asked, tokens in zip(CASES, cases, found, strict=True)
    }


def _write(folder: pathlib.Path, pair: tuple[str, str] | None) -> None:
    """A small WordPiece tokenizer with these tokens around each text."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "<s>", "</s>"]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=200, special_tokens=special, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    if pair is not None:
        first, last = pair
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single=f"{first} $A {last}", special_tokens=[(token, special.index(token)) for token in pair]
        )
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    described = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(described))


def _named(case: tuple[str, int, str, bool]) -> str:
    return f"{case[0]}, {case[1]} tokens, {case[2]}, saved {'after' if case[3] else 'before'} its use"


@pytest.mark.parametrize("case", CASES, ids=_named)
def test_tokens_are_those_of_transformers(made: Any, case: tuple[str, int, str, bool]) -> None:
    folder, theirs = made[case]
    said = tokenization.read((folder / "tokenizer_config.json").read_bytes(), subject="tokenizer_config.json")
    described = completion.completed(Description(Form.TOKENS, labels=("no", "yes")), Config(), said)
    assert described.max_tokens is not None
    ours = TextEncoder(
        folder / "tokenizer.json", max_tokens=described.max_tokens, said=described.tokenization
    )
    rows = ours.encode_typed(TEXTS)
    padding = Padding.of([len(ids) for ids, _ in rows], left=ours.pads_left)

    # Without tokens of its own "" is nothing, which no model can read: it is one of padding here.
    real = padding.mask(np.int64)
    if case[0] == "none":
        real[TEXTS.index("")] = 0
    assert padding.fill([ids for ids, _ in rows], ours.pad_id, np.int64).tolist() == theirs["input_ids"]
    assert real.tolist() == theirs["attention_mask"]
    kinds = padding.fill([kinds for _, kinds in rows], ours.pad_type, np.int64)
    assert kinds.tolist() == theirs["token_type_ids"]
    assert max(len(ids) for ids, _ in rows) == case[1]
