"""A model bundle on disk: `model.onnx`, `tokenizer.json`, `config.json` and `slipway.yaml`.

Knows nothing of how the model came about. `slipway.yaml` holds the digest of every other file, and
is itself named by its own digest: what a Model resource pins as `source.sha256`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

MANIFEST = "slipway.yaml"
FILES = ("model.onnx", "tokenizer.json", "config.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """What the training side answered: `score` is the label's probability, within `tolerance`."""

    text: str
    label: str
    score: float
    tolerance: float = 0.01


@dataclass(frozen=True, slots=True)
class Bundle:
    """A written bundle: `digest` is the sha256 of its slipway.yaml, `size` all its bytes."""

    path: Path
    digest: str
    size: int


def write(
    directory: Path,
    *,
    model: bytes,
    tokenizer: str,
    labels: Sequence[str],
    golden: Sequence[Golden],
    max_tokens: int = 128,
) -> Bundle:
    """Write a bundle; `tokenizer` is the text of its tokenizer.json, `labels` in logit order.

    A bundle that is already there is replaced. Raises FileExistsError where the folder holds
    anything else, because every file of a bundle must be in its slipway.yaml.
    """
    _refuse_strangers(directory)
    directory.mkdir(parents=True, exist_ok=True)
    contents = (model, tokenizer.encode(), _config(labels, max_tokens))
    for name, content in zip(FILES, contents, strict=True):
        (directory / name).write_bytes(content)
    return seal(
        directory,
        {
            "schemaVersion": 1,
            "task": "text-classification",
            "labels": list(labels),
            "inputs": {"maxTokens": max_tokens},
            "postprocessing": "softmax",
            "golden": [asdict(example) for example in golden],
        },
    )


def manifest(directory: Path) -> dict[str, object]:
    """Return what the bundle's slipway.yaml says."""
    document: dict[str, object] = yaml.safe_load((directory / MANIFEST).read_text(encoding="utf-8"))
    return document


def seal(directory: Path, document: dict[str, object]) -> Bundle:
    """Write `document` as the slipway.yaml of the files that are there, with their digests."""
    sealed = {**document, "files": {name: _entry(directory / name) for name in FILES}}
    text = yaml.safe_dump(sealed, sort_keys=False, allow_unicode=True, width=1000)
    (directory / MANIFEST).write_text(text, encoding="utf-8")
    return read(directory)


def read(directory: Path) -> Bundle:
    """Return the bundle that lies in `directory`, without checking it."""
    size = sum((directory / name).stat().st_size for name in (*FILES, MANIFEST))
    return Bundle(directory, digest(directory / MANIFEST), size)


def digest(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _entry(path: Path) -> dict[str, object]:
    return {"sha256": digest(path), "size": path.stat().st_size}


def _config(labels: Sequence[str], max_tokens: int) -> bytes:
    config = {
        "problem_type": "single_label_classification",
        "max_position_embeddings": max_tokens,
        "pad_token_id": 0,
        "id2label": {str(index): label for index, label in enumerate(labels)},
        "label2id": {label: index for index, label in enumerate(labels)},
    }
    return (json.dumps(config, indent=2) + "\n").encode()


def _refuse_strangers(directory: Path) -> None:
    if not directory.exists():
        return
    strangers = sorted({path.name for path in directory.iterdir()} - {*FILES, MANIFEST})
    if strangers:
        raise FileExistsError(
            f"{directory} holds {', '.join(strangers)}, no part of a bundle: choose an empty folder"
        )
