"""The answers are those of the library that the model was trained with: same tokens, same scores.

Texts of any length and script, alone and in company: nothing that is done for speed may show.
"""

import functools
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
import pytest
import skl2onnx
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline

from slipway_runtime.engine.model import Model, RunControl
from slipway_runtime.preprocessing.text import Padding, TextEncoder
from tests.runtime import bundles, models

TRAINING = [
    ("the seller was kind and honest", "praise"),
    ("great value, would buy again", "praise"),
    ("naïve café owner, très bon", "praise"),
    ("broken on arrival, awful", "blame"),
    ("never again, rude and slow", "blame"),
    ("the box was empty", "blame"),
    ("it is a box", "neither"),
    ("delivered on tuesday", "neither"),
]
TEXTS = [
    "the seller was honest",
    "awful awful awful",
    "",
    "   ",
    "a",
    "naïve café, très lent",
    "ДОБРЫЙ день",
    "很好 很好",
    "🙂🙃 mixed ASCII and emoji",
    "line one\nline two\ttabbed",
    "UPPER lower MiXeD",
    "don't, won't, can't!",
    "word " * 400,
    "x" * 5000,
]
# scikit-learn's `(?u)\b\w\w+\b` in the notation that onnxruntime understands.
WORDS = r"[\p{L}\p{N}_]{2,}"
PIPELINES = {
    "words weighted by their rarity": lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()),
    "words and pairs of words, counted": lambda: make_pipeline(
        CountVectorizer(ngram_range=(1, 2)), MultinomialNB()
    ),
}


@pytest.mark.parametrize("zipmap", [False, True], ids=["as floats", "as maps"])
@pytest.mark.parametrize("make", PIPELINES.values(), ids=PIPELINES.keys())
def test_a_scikit_learn_pipeline_answers_as_it_did_in_training(
    tmp_path: pathlib.Path, make: Any, *, zipmap: bool
) -> None:
    texts, labels = zip(*TRAINING, strict=True)
    pipeline = make().fit(texts, labels)
    model = models.load(tmp_path, functools.partial(_write_pipeline, pipeline, zipmap=zipmap))
    expected = pipeline.predict_proba(TEXTS)

    together = _scores(model, TEXTS)
    alone = np.concatenate([_scores(model, [text]) for text in TEXTS])

    assert np.abs(together - expected).max() < 1e-5
    assert np.abs(alone - expected).max() < 1e-5
    assert [one.label for one in models.classify(model, *TEXTS)] == pipeline.predict(TEXTS).tolist()


def _write_pipeline(pipeline: Pipeline, folder: pathlib.Path, *, zipmap: bool) -> None:
    """As docs/runtime.md says it is done: skl2onnx's own pattern for words knows English letters only."""
    converted = skl2onnx.to_onnx(
        pipeline,
        initial_types=[("text", skl2onnx.common.data_types.StringTensorType([None, 1]))],
        options={id(pipeline): {"zipmap": zipmap}, id(pipeline.steps[0][1]): {"tokenexp": WORDS}},
        target_opset=17,
    )
    labels = [str(label) for label in pipeline.classes_]
    bundles.write_model(folder, converted, task="text-classification", labels=labels)


def _scores(model: Model, texts: Sequence[str]) -> np.ndarray:
    return np.array([answer[0] for answer in model.run(model.encode(texts), RunControl())])


@functools.cache
def _word_pieces(*, left: bool) -> tokenizers.Tokenizer:
    """A WordPiece tokenizer with special tokens, truncation and padding of its own, as BERT's has."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False
    )
    tokenizer.train_from_iterator([text for text, _ in TRAINING], trainer)
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_truncation(max_length=64, direction="left" if left else "right")
    tokenizer.enable_padding(direction="left" if left else "right", pad_id=0, pad_token="[PAD]")
    return tokenizer


@pytest.mark.parametrize("left", [False, True], ids=["padded right", "padded left"])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.one_of(st.text(max_size=300), st.sampled_from(TEXTS)), min_size=1, max_size=8))
def test_tokens_and_masks_are_those_of_the_tokenizers_own_padding(
    tmp_path: pathlib.Path, texts: list[str], *, left: bool
) -> None:
    theirs = _word_pieces(left=left)
    path = tmp_path / "tokenizer.json"
    theirs.save(str(path))
    expected = theirs.encode_batch(texts)

    ours = TextEncoder(path, max_tokens=64)
    rows = ours.encode(texts)
    padding = Padding.of([len(row) for row in rows], left=ours.pads_left)

    assert padding.fill(rows, ours.pad_id, np.int64).tolist() == [one.ids for one in expected]
    assert padding.mask(np.int64).tolist() == [one.attention_mask for one in expected]
    assert [kinds.tolist() for _, kinds in ours.encode_typed(texts)] == [[0] * len(row) for row in rows]


@pytest.mark.parametrize("left", [False, True], ids=["cut right", "cut left"])
@pytest.mark.parametrize(
    ("said", "most", "expected"), [(8, 64, 8), (64, 8, 8), (1000, 64, 64), (None, 16, 16)], ids=str
)
def test_a_text_is_cut_where_the_tokenizer_and_the_bundle_both_allow_it(
    tmp_path: pathlib.Path, said: int | None, most: int, expected: int, *, left: bool
) -> None:
    direction = "left" if left else "right"
    theirs = tokenizers.Tokenizer.from_str(_word_pieces(left=left).to_str())
    theirs.no_padding()
    theirs.no_truncation()
    if said is not None:
        theirs.enable_truncation(max_length=said, direction=direction)
    theirs.save(str(tmp_path / "tokenizer.json"))

    ours = TextEncoder(tmp_path / "tokenizer.json", max_tokens=most)
    found = [ids.tolist() for ids in ours.encode(TEXTS)]

    theirs.enable_truncation(max_length=expected, direction=direction if said is not None else "right")
    assert found == [theirs.encode(text).ids for text in TEXTS]
    assert max(map(len, found)) == expected == ours.max_tokens


def test_scores_are_those_of_the_tokenizer_and_onnxruntime_by_themselves(tmp_path: pathlib.Path) -> None:
    """The runtime's way, in every company, against the plainest one: one text, one run."""
    model = models.load(tmp_path, bundles.write)
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "source" / "tokenizer.json"))
    session = onnxruntime.InferenceSession(tmp_path / "source" / "model.onnx")
    texts = ["good", "awful plain good bad", "great " * 100, "nothing known at all", "GOOD, bad"]

    together = _scores(model, texts)

    for text, scores in zip(texts, together, strict=True):
        ids = np.array([tokenizer.encode(text).ids])
        (logits,) = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        powers = np.exp(logits[0] - logits[0].max())
        assert scores == pytest.approx(powers / powers.sum(), abs=1e-6)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(company=st.permutations(range(6)))
def test_a_text_gets_the_same_scores_in_any_company(tmp_path: pathlib.Path, company: list[int]) -> None:
    model = _shared(tmp_path)
    texts = ["good", "bad bad", "great fine plain awful", "fine", "", "good " * 60]

    scores = _scores(model, [texts[index] for index in company])

    for row, index in enumerate(company):
        assert scores[row] == pytest.approx(_scores(model, [texts[index]])[0], abs=1e-6)


_loaded: list[Model] = []


def _shared(root: pathlib.Path) -> Model:
    if not _loaded:
        _loaded.append(models.load(root, bundles.write))
    return _loaded[0]


def test_numbers_as_strings_are_computed_as_numbers(tmp_path: pathlib.Path) -> None:
    model = models.load(tmp_path, bundles.write_simple_string)
    first, second = np.arange(16).reshape(1, 16), np.full((1, 16), -7)
    put = {
        name: np.array([[str(n).encode() for n in row] for row in value], dtype=object)
        for name, value in (("INPUT0", first), ("INPUT1", second))
    }

    outputs = model.outputs(model.run(model.rows(put), RunControl()))

    assert [int(n) for n in outputs["OUTPUT0"][0]] == (first + second)[0].tolist()
    assert [int(n) for n in outputs["OUTPUT1"][0]] == (first - second)[0].tolist()
