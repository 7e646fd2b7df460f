"""The example bundles: honest, reproducible, indifferent to padding, and breakable in known ways."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from tokenizers import Tokenizer

from examples.models import broken, bundle, corpus, parity, tokenizer
from examples.models.bag import Bag
from examples.models.convolution import Convolution
from examples.models.training import Classifier

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000
VERSIONS = ("1", "2")
SHAPES = {
    "bag": Bag(dimension=3),
    "convolution": Convolution(dimension=3, filters=4, width=3, dropout=0.4),
}


class Served:
    """A bundle as a runtime sees it: its files, and nothing of the training side's weights."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.words = Tokenizer.from_file(str(path / "tokenizer.json"))
        self.session = onnxruntime.InferenceSession(path / "model.onnx", providers=["CPUExecutionProvider"])

    def probabilities(self, texts: list[str]) -> np.ndarray:
        logits = parity.logits(self.session, self.words, texts)
        powers = np.exp(logits)
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def accuracy(self) -> float:
        sentences = corpus.held_out()
        judged = self.probabilities([each.text for each in sentences]).argmax(axis=1)
        return float(np.mean(judged == [each.label for each in sentences]))

    def run(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return np.asarray(self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def served(built: Path) -> dict[str, Served]:
    return {version: Served(built / version) for version in VERSIONS}


def build(output: Path) -> Path:
    command = [sys.executable, "-m", "examples.models", "--output", str(output)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=400)
    return output / "sentiment"


def test_there_are_enough_sentences_of_both_labels_and_none_twice() -> None:
    for sentences, least in ((corpus.training(), 400), (corpus.held_out(), 120)):
        assert len(sentences) >= least
        assert len({each.text.casefold() for each in sentences}) == len(sentences)
        assert sum(each.label for each in sentences) / len(sentences) == pytest.approx(0.5, abs=0.01)


def test_no_held_out_or_golden_sentence_is_a_training_sentence_or_close_to_one() -> None:
    known = [words(each.text) for each in corpus.training()]
    for each in (*corpus.held_out(), *corpus.golden()):
        asked = words(each.text)
        closest = max(known, key=lambda other: likeness(asked, other))
        assert likeness(asked, closest) < 0.6, (each.text, closest)


def test_golden_sentences_are_not_held_out_ones() -> None:
    assert not {each.text for each in corpus.golden()} & {each.text for each in corpus.held_out()}


def test_the_second_version_is_clearly_better_on_held_out_sentences(served: dict[str, Served]) -> None:
    first, second = (served[version].accuracy() for version in VERSIONS)
    assert first >= 0.75
    assert second >= first + 0.03


@pytest.mark.parametrize("version", VERSIONS)
def test_a_runtime_gives_the_golden_answers(served: dict[str, Served], version: str) -> None:
    assert len(list(golden(served[version].path))) >= 6
    assert not mismatches(served[version], served[version].path)


def test_the_second_version_is_right_where_the_first_is_wrong(served: dict[str, Served]) -> None:
    first, second = ([each["label"] for each in golden(served[v].path)] for v in VERSIONS)
    truth = [corpus.LABELS[each.label] for each in corpus.golden()]
    assert second == truth
    assert first != truth


def test_each_version_fails_the_golden_examples_of_the_other(built: Path, served: dict[str, Served]) -> None:
    assert mismatches(served["1"], built / "2")
    assert mismatches(served["2"], built / "1")


@pytest.mark.parametrize("version", VERSIONS)
def test_slipway_yaml_names_every_other_file_with_its_digest(built: Path, version: str) -> None:
    folder = built / version
    files = bundle.manifest(folder)["files"]
    others = {path.name: path for path in folder.iterdir() if path.name != bundle.MANIFEST}
    assert files == {
        name: {"sha256": bundle.digest(path), "size": path.stat().st_size} for name, path in others.items()
    }
    assert bundle.read(folder).size <= 5 * MEGABYTE


@pytest.mark.parametrize("version", VERSIONS)
def test_the_graph_uses_the_default_domain_and_says_its_inputs(built: Path, version: str) -> None:
    model = onnx.load(built / version / "model.onnx")
    (opset,) = model.opset_import
    assert opset.domain == ""
    assert opset.version <= 21
    assert [each.name for each in model.graph.input] == ["input_ids", "attention_mask"]
    assert [each.name for each in model.graph.output] == ["logits"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_row_is_judged_the_same_alone_and_in_a_padded_batch(
    served: dict[str, Served], version: str
) -> None:
    lengths = [*range(1, 20), 31, 64, 127, 128]
    random = np.random.default_rng(7)
    ids = random.integers(1, served[version].words.get_vocab_size(), (len(lengths), 128))
    mask = (np.arange(128) < np.array(lengths)[:, None]).astype(np.int64)
    # The padded places keep arbitrary ids: the mask alone must decide.
    together = served[version].run(ids, mask)
    for row, length in enumerate(lengths):
        alone = served[version].run(ids[row : row + 1, :length], mask[row : row + 1, :length])
        np.testing.assert_allclose(alone[0], together[row], atol=1e-5)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_row_without_a_single_word_still_gets_finite_logits(
    served: dict[str, Served], version: str
) -> None:
    nothing = np.zeros((1, 1), dtype=np.int64)
    assert np.isfinite(served[version].run(nothing, nothing)).all()


def test_two_builds_are_the_same_byte_for_byte(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    for version, name in product(VERSIONS, (*bundle.FILES, bundle.MANIFEST)):
        assert (again / version / name).read_bytes() == (built / version / name).read_bytes(), name


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_gradients_agree_with_differences_of_the_loss(shape: Classifier) -> None:
    ids, labels = np.array([[2, 5, 6, 3], [2, 4, 0, 0]]), np.array([0, 1])
    weights = shape.initial(vocabulary=7, random=np.random.default_rng(3))

    def loss() -> float:
        return shape.gradients(weights, ids, labels, random=np.random.default_rng(5))[0]

    _, gradients = shape.gradients(weights, ids, labels, random=np.random.default_rng(5))
    for name, values in weights.items():
        for place in np.ndindex(values.shape):
            assert slope(loss, values, place) == pytest.approx(gradients[name][place], abs=1e-6), name


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        pytest.param("It ISN'T bad!", ["[CLS]", "it", "is", "not", "bad", "[UNK]"], id="short negation"),
        pytest.param("isn\u2019t", ["[CLS]", "is", "not"], id="typographic apostrophe"),
        pytest.param("", ["[CLS]"], id="empty text"),
        pytest.param("[PAD]", ["[CLS]", "[UNK]", "[UNK]", "[UNK]"], id="a text that tries to pad"),
    ],
)
def test_the_tokenizer_splits_text_into_known_words(text: str, tokens: list[str]) -> None:
    learned = tokenizer.learn(["it is not bad"])
    assert learned.encode(text).tokens == tokens


def test_long_texts_are_cut_at_the_most_tokens() -> None:
    learned = tokenizer.learn(["good"])
    assert tokenizer.encode(learned, ["good " * 500, "good"]).shape == (2, tokenizer.MAX_TOKENS)


def test_a_broken_digest_is_the_only_thing_wrong(built: Path, tmp_path: Path) -> None:
    made = broken.broken_digest(built / "2", tmp_path / "out")
    assert wrong_files(made.path) == ["model.onnx"]
    assert made.digest == bundle.digest(built / "2" / bundle.MANIFEST)


def test_a_wrong_golden_example_is_the_only_thing_wrong(built: Path, tmp_path: Path) -> None:
    made = broken.wrong_golden(built / "2", tmp_path / "out")
    assert not wrong_files(made.path)
    assert len(mismatches(Served(made.path), made.path)) == len(list(golden(made.path)))


def test_a_mixed_up_model_passes_every_digest_and_fails_golden(built: Path, tmp_path: Path) -> None:
    made = broken.mixed_up(built / "2", built / "1", tmp_path / "out")
    assert not wrong_files(made.path)
    assert mismatches(Served(made.path), made.path)


def test_an_unloadable_model_passes_every_digest(built: Path, tmp_path: Path) -> None:
    made = broken.unloadable(built / "2", tmp_path / "out")
    assert not wrong_files(made.path)
    with pytest.raises(Exception, match="INVALID_PROTOBUF"):
        Served(made.path)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        bundle.write(tmp_path, model=b"", tokenizer="{}", labels=corpus.LABELS, golden=[])


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z']+", text.lower()))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of their words that two sentences have in common."""
    return len(one & other) / len(one | other)


def golden(folder: Path) -> Iterator[dict[str, str | float]]:
    examples = bundle.manifest(folder)["golden"]
    assert isinstance(examples, list)
    yield from examples


def mismatches(served: Served, folder: Path) -> list[str]:
    """Return the golden texts of `folder` that the served model answers otherwise."""
    examples = list(golden(folder))
    answers = served.probabilities([str(each["text"]) for each in examples])
    return [
        str(each["text"])
        for each, row in zip(examples, answers, strict=True)
        if corpus.LABELS[row.argmax()] != each["label"]
        or abs(row.max() - float(each["score"])) > float(each["tolerance"])
    ]


def wrong_files(folder: Path) -> list[str]:
    files = bundle.manifest(folder)["files"]
    assert isinstance(files, dict)
    return [name for name, entry in files.items() if entry["sha256"] != bundle.digest(folder / name)]


def slope(loss: Callable[[], float], values: np.ndarray, place: tuple[int, ...]) -> float:
    """Return the loss's central difference at one weight, which is put back."""
    before, step = values[place], 1e-6
    values[place] = before + step
    above = loss()
    values[place] = before - step
    below = loss()
    values[place] = before
    return (above - below) / (2 * step)
