"""The labelled sentences: written for this repository, read from `data/*.tsv`.

Knows nothing of tokens or models. A line is `label <tab> group <tab> text`; the group is the
topic of a training sentence and the form (plain, negated, contrast) of a held-out one.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

LABELS = ("negative", "positive")
DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One remark and what its writer meant by it: `label` is an index into LABELS."""

    label: int
    group: str
    text: str


@functools.cache
def training() -> tuple[Sentence, ...]:
    """Return the sentences that both versions learn from."""
    return _read("training.tsv")


@functools.cache
def held_out() -> tuple[Sentence, ...]:
    """Return the sentences that no choice and no weight has seen."""
    return _read("held_out.tsv")


@functools.cache
def golden() -> tuple[Sentence, ...]:
    """Return the few sentences whose answers travel inside each bundle."""
    return _read("golden.tsv")


def groups(sentences: tuple[Sentence, ...]) -> tuple[str, ...]:
    """Return the groups in the order in which they first occur."""
    return tuple(dict.fromkeys(sentence.group for sentence in sentences))


def _read(name: str) -> tuple[Sentence, ...]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return tuple(_parse(line) for line in lines)


def _parse(line: str) -> Sentence:
    label, group, text = line.split("\t")
    return Sentence(label=LABELS.index(label), group=group, text=text)
