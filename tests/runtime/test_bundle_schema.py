"""The schema of slipway.yaml is what the runtime accepts: an editor or a CI job can check bundles with it."""

import json
import pathlib
from typing import Any

import jsonschema
import pytest
import yaml

from slipway_runtime.artifacts import completion, manifest
from slipway_runtime.artifacts.config import Config
from slipway_runtime.artifacts.tokenization import Tokenization
from slipway_runtime.failures import StartupError
from tests.runtime import bundles, processes

PATH = processes.ROOT / "runtime/slipway_runtime/artifacts/schemas/slipway.schema.json"
SHA = "a" * 64


def test_the_schema_that_is_shipped_is_that_of_the_runtime() -> None:
    shipped = json.loads(PATH.read_text(encoding="utf-8"))

    assert shipped == manifest.schema(), (
        "write it anew: python -c 'import json; from slipway_runtime.artifacts import manifest; "
        f"print(json.dumps(manifest.schema(), indent=2, ensure_ascii=False))' > {PATH.name}"
    )


def test_every_field_of_the_schema_is_described_or_speaks_for_itself() -> None:
    plain = {"schemaVersion", "text", "sha256", "inputs", "outputs"}

    for model in [manifest.schema(), *manifest.schema()["$defs"].values()]:
        for name, field in model.get("properties", {}).items():
            assert name in plain or field.get("description"), f"{name} needs a docstring in manifest.py"


WRITERS = {
    "words": bundles.write,
    "strings": bundles.write_strings,
    "several labels": bundles.write_multi_label,
    "tensors": bundles.write_simple,
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_bundles_that_are_served_are_valid(tmp_path: pathlib.Path, write: Any) -> None:
    write(tmp_path / "bundle")

    jsonschema.validate(yaml.safe_load((tmp_path / "bundle/slipway.yaml").read_text()), manifest.schema())


def _document(**changes: Any) -> dict[str, Any]:
    entry = {"sha256": SHA, "size": 1}
    files = {"model.onnx": entry, "tokenizer.json": entry}
    return {
        "schemaVersion": 1,
        "task": "text-classification",
        "labels": ["a", "b"],
        "files": files,
        **changes,
    }


WRONG = {
    "no version": {"schemaVersion": None},
    "a version to come": {"schemaVersion": 2},
    "an unknown task": {"task": "translation"},
    "an unknown key": {"goldens": []},
    "no labels in the list": {"labels": []},
    "a label that is a number": {"labels": [1, 2]},
    "no tokens": {"inputs": {"maxTokens": 0}},
    "a postprocessing of one's own": {"postprocessing": "argmax"},
    "a threshold in percent": {"threshold": 50},
    "no files": {"files": {}},
    "a digest in capitals": {"files": {"model.onnx": {"sha256": "A" * 64, "size": 1}}},
    "a negative size": {"files": {"model.onnx": {"sha256": SHA, "size": -1}}},
    "a golden example without a score": {"golden": [{"text": "x", "label": "a"}]},
    "a tolerance of nothing": {"golden": [{"text": "x", "label": "a", "score": 0.5, "tolerance": 0}]},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_what_the_runtime_refuses_the_schema_refuses(changes: dict[str, Any]) -> None:
    document = _document(**changes)

    with pytest.raises(StartupError):
        _read(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, manifest.schema())


def test_a_bundle_of_the_first_days_is_read_as_it_was() -> None:
    read = _read(_document(inputs={"maxTokens": 128}))

    assert (read.form, read.max_tokens, read.threshold) == (manifest.Form.TOKENS, 128, None)
    completed = completion.completed(read, Config(), Tokenization())
    assert completed.postprocessing is manifest.Postprocessing.SOFTMAX


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000, b"{a: " * 50_000, b"&a [*a]", b"\xff\xfe", b"", b"- 1", b"a: !!python/name:os.system"],
    ids=["deep lists", "deep maps", "a list in itself", "no text", "nothing", "a list", "a name of Python's"],
)
def test_no_yaml_makes_more_than_an_error(text: bytes) -> None:
    with pytest.raises(StartupError) as caught:
        manifest.read(text, subject="slipway.yaml", tokenizer="tokenizer.json")

    assert caught.value.reason == "BundleInvalid"


def test_aliases_do_not_multiply() -> None:
    """Nine levels of nine: a thousand bytes that a reader could take for a billion strings."""
    levels = ["a: &l0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"b{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10)]

    with pytest.raises(StartupError):
        manifest.read("\n".join(levels).encode(), subject="slipway.yaml", tokenizer="tokenizer.json")


def _read(document: dict[str, Any]) -> manifest.Description:
    text = yaml.safe_dump(document).encode()
    return manifest.read(text, subject="slipway.yaml", tokenizer="tokenizer.json")
