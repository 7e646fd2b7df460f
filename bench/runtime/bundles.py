"""The two models of the measurements as bundles: written once, the same bytes every time.

`base` computes (some 6 ms a text on one core), so it shows what batching is worth; `tiny` hardly
computes, so it shows what the server around it costs.
"""

import hashlib
import json
from pathlib import Path

import onnx
import yaml

from bench.runtime import encoder, texts
from bench.runtime.encoder import Shape
from bench.runtime.peers.classifier import Classifier

SHAPES = {
    "base": Shape(layers=4, hidden=256, heads=4, inner=1024, vocabulary=8192, positions=128),
    "tiny": Shape(layers=1, hidden=64, heads=4, inner=256, vocabulary=8192, positions=128),
}
_GOLDEN_TEXTS = 2


def write(directory: Path, model: str) -> Path:
    """The bundle of `model` under `directory`; kept when it is there already."""
    folder = directory / f"{model}-{_key(model)}"
    if not (folder / "slipway.yaml").exists():
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(encoder.build(SHAPES[model]), folder / "model.onnx")
        texts.tokenizer().save(str(folder / "tokenizer.json"))
        (folder / "config.json").write_text(json.dumps({"id2label": dict(enumerate(encoder.LABELS))}))
        (folder / "slipway.yaml").write_text(yaml.safe_dump(_manifest(folder), sort_keys=False))
    return folder


def _key(model: str) -> str:
    sources = [Path(module.__file__ or "").read_bytes() for module in (encoder, texts)]
    return hashlib.sha256(b"".join([*sources, repr(SHAPES[model]).encode()])).hexdigest()[:10]


def _manifest(folder: Path) -> dict[str, object]:
    return {
        "schemaVersion": 1,
        "task": "text-classification",
        "labels": list(encoder.LABELS),
        "inputs": {"maxTokens": texts.MAX_TOKENS},
        "postprocessing": "softmax",
        "golden": _goldens(folder),
        "files": {path.name: _entry(path) for path in sorted(folder.iterdir())},
    }


def _goldens(folder: Path) -> list[dict[str, object]]:
    """What the peers' own code answers: so the run also proves that all answer alike."""
    chosen = texts.texts()[:_GOLDEN_TEXTS]
    answers = Classifier(folder).predict(chosen)
    return [
        {"text": text, "label": label, "score": score, "tolerance": 0.001}
        for text, (label, score) in zip(chosen, answers, strict=True)
    ]


def _entry(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
