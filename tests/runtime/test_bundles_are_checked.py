"""A pod that must not serve says why: each way in which a bundle can be wrong."""

import asyncio
import hashlib
import os
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from slipway_runtime import settings
from slipway_runtime.failures import StartupError
from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.versions.repository import Repository
from tests.runtime import bundles, processes
from tests.runtime.bundles import BundleOptions

Change = Callable[[pathlib.Path], object]


@dataclass(frozen=True, slots=True)
class Case:
    """What is done to a good bundle, and what the pod must say then."""

    change: Change
    reason: str
    names: str  # the file that the message is about, "" for the folder
    says: str
    environment: dict[str, str] = field(default_factory=dict)


def _overwrite(name: str, content: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(content)


def _remove(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def _manifest(**changes: object) -> Change:
    return lambda folder: bundles.write_manifest(folder, BundleOptions(), **changes)


def _then_manifest(change: Change) -> Change:
    """`change`, and a manifest that agrees with it: the bytes are as listed, and still wrong."""

    def both(folder: pathlib.Path) -> None:
        change(folder)
        bundles.write_manifest(folder, BundleOptions())

    return both


def _grow(name: str) -> Change:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + b" ")


def _flip_a_bit(name: str) -> Change:
    def flip(folder: pathlib.Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[-1] ^= 1
        (folder / name).write_bytes(content)

    return flip


def _link(name: str, target: str) -> Change:
    return lambda folder: os.symlink(target, folder / name)


def _hard_link(name: str) -> Change:
    return lambda folder: os.link(folder / name, folder.parent / f"{folder.name}-{name}")


def _in_turn(*changes: Change) -> Change:
    def change(folder: pathlib.Path) -> None:
        for one in changes:
            one(folder)

    return change


def _wrong_golden(**changes: object) -> Change:
    golden = {"text": "good", "label": "positive", "score": bundles.score("good"), "tolerance": 0.001}
    return _manifest(golden=[golden | changes])


CASES = {
    "a truncated model": Case(
        _overwrite("model.onnx", b"half"), "DigestMismatch", "model.onnx", "it has 4 bytes"
    ),
    "a model with one bit flipped": Case(
        _flip_a_bit("model.onnx"), "DigestMismatch", "model.onnx", "its sha256 is "
    ),
    "another manifest than was pinned": Case(
        _grow("slipway.yaml"),
        "DigestMismatch",
        "slipway.yaml",
        "was asked for",
        {"SLIPWAY_BUNDLE_SHA256": "pin"},
    ),
    "no manifest although one is pinned": Case(
        _remove("slipway.yaml"),
        "BundleInvalid",
        "slipway.yaml",
        "pins the bundle",
        {"SLIPWAY_BUNDLE_SHA256": "pin"},
    ),
    "a listed file that is missing": Case(
        _remove("tokenizer.json"), "SourceNotFound", "tokenizer.json", "but slipway.yaml lists it"
    ),
    "a file that is not listed": Case(
        _overwrite("extra.bin", b"x"), "BundleInvalid", "extra.bin", "slipway.yaml does not list it"
    ),
    "a pickle": Case(_overwrite("model.pkl", b"x"), "UnsafeModel", "model.pkl", "skl2onnx"),
    "a pickle that is listed": Case(
        _then_manifest(_overwrite("model.pkl", b"x")), "UnsafeModel", "model.pkl", "never loaded"
    ),
    "a link to another file": Case(
        _link("vocab.txt", "/etc/hostname"), "BundleInvalid", "vocab.txt", "not a regular file with one link"
    ),
    "a hard link": Case(
        _hard_link("config.json"), "BundleInvalid", "config.json", "not a regular file with one link"
    ),
    "weights beside the model with a second link": Case(
        _in_turn(_then_manifest(_overwrite("model.onnx_data", b"weights")), _hard_link("model.onnx_data")),
        "BundleInvalid",
        "model.onnx_data",
        "not a regular file with one link",
    ),
    "a folder in the folder": Case(
        lambda folder: (folder / "old").mkdir(), "BundleInvalid", "old", "not a regular file"
    ),
    "a name that no bundle has": Case(
        _overwrite("model .onnx", b"x"), "BundleInvalid", "model%20.onnx", "a bundle is a flat folder"
    ),
    "a manifest that is not YAML": Case(
        _overwrite("slipway.yaml", b"labels: ["), "BundleInvalid", "slipway.yaml", "it is not YAML"
    ),
    "a manifest that makes an object": Case(
        _overwrite("slipway.yaml", b"!!python/object/apply:os.system [id]"),
        "BundleInvalid",
        "slipway.yaml",
        "could not determine a constructor",
    ),
    "a manifest of a later schema": Case(
        _manifest(schemaVersion=2), "BundleInvalid", "slipway.yaml", "schemaVersion: Input should be 1"
    ),
    "a misspelt key": Case(_manifest(goldens=[]), "BundleInvalid", "slipway.yaml", "goldens: Extra inputs"),
    "a manifest that lists no model": Case(
        _manifest(files={"tokenizer.json": {"sha256": "0" * 64, "size": 1}}),
        "BundleInvalid",
        "slipway.yaml",
        "`files` does not list model.onnx",
    ),
    "a listed path that escapes": Case(
        lambda folder: bundles.write_manifest(
            folder,
            BundleOptions(),
            files={
                name: {"sha256": "0" * 64, "size": 1}
                for name in ("model.onnx", "tokenizer.json", "../../etc/passwd")
            },
        ),
        "BundleInvalid",
        "config.json",
        "does not list it",
    ),
    "a model that is no ONNX": Case(
        _then_manifest(_overwrite("model.onnx", b"not a model")),
        "ModelLoadFailed",
        "model.onnx",
        "onnxruntime",
    ),
    "a tokenizer that is none": Case(
        _then_manifest(_overwrite("tokenizer.json", b"{}")),
        "ModelLoadFailed",
        "tokenizer.json",
        "not a tokenizer",
    ),
    "three labels for two logits": Case(
        _manifest(labels=["negative", "positive", "neutral"]),
        "ModelLoadFailed",
        "model.onnx",
        "scores are [1, 2] for 1 rows and 3",
    ),
    "a golden example with another label": Case(
        _wrong_golden(label="negative"),
        "GoldenMismatch",
        "'good'",
        "'good' should be negative with a score of 0.9810 to 0.9830, got positive (0.9820)",
    ),
    "a golden example with another score": Case(
        _wrong_golden(score=0.5), "GoldenMismatch", "'good'", "of 0.4990 to 0.5010, got positive (0.9820)"
    ),
    "a golden example that breaks the model": Case(
        _wrong_golden(text="poison"), "GoldenMismatch", "'poison'", "got an error"
    ),
    "an example of the model's owner": Case(
        lambda _: None,
        "GoldenMismatch",
        "'bad'",
        "a verification example is answered wrongly: 'bad' should be positive",
        {"SLIPWAY_VERIFICATION_EXAMPLES": '[{"text": "bad", "label": "positive", "minScore": 0.7}]'},
    ),
    "an example answered too unsurely": Case(
        lambda _: None,
        "GoldenMismatch",
        "'fine'",
        "should be positive with a score of at least 0.9500, got positive (0.8808)",
        {"SLIPWAY_VERIFICATION_EXAMPLES": '[{"text": "fine", "label": "positive", "minScore": 0.95}]'},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_wrong_bundle_is_refused_with_its_reason_and_its_object(tmp_path: pathlib.Path, case: Case) -> None:
    folder = tmp_path / "sentiment"
    pin = bundles.write(folder)
    case.change(folder)
    environment = {name: pin if value == "pin" else value for name, value in case.environment.items()}

    failure = _failure_to_load(tmp_path / "cache", MODEL_URI=folder.as_uri(), **environment)

    assert failure.reason == case.reason
    assert case.says in failure.message
    assert failure.subject.rsplit("/", 1)[-1] == case.names
    assert list((tmp_path / "cache").iterdir()) == []


def _failure_to_load(cache: pathlib.Path, **environment: str) -> StartupError:
    """Load in this process, since a process for each case would take a minute."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**environment, "SLIPWAY_CACHE_DIR": str(cache)}.items():
            patch.setenv(name, value)
        versions = Repository(settings.load(), Catalog("model"), Lifecycle(), Metrics())
        with pytest.raises(StartupError) as caught:
            asyncio.run(versions.run())
    return caught.value


def test_the_pod_says_it_in_its_log_and_its_termination_message(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "sentiment"
    bundles.write(folder)
    _wrong_golden(label="negative")(folder)

    with processes.starting(tmp_path / "run", MODEL_URI=folder.as_uri()) as process:
        ending = process.wait_for_end()

    [entry] = [entry for entry in process.log if entry["message"] == "cannot_serve"]
    assert ending.code == 1
    assert ending.message == {
        "reason": "GoldenMismatch",
        "message": "a golden example of the bundle is answered wrongly: 'good' should be negative with "
        "a score of 0.9810 to 0.9830, got positive (0.9820)",
        "object": "'good'",
    }
    assert (entry["reason"], entry["detail"]) == (ending.message["reason"], ending.message["message"])


def test_the_right_pin_is_served_and_shown(tmp_path: pathlib.Path, bundle: pathlib.Path) -> None:
    pin = hashlib.sha256((bundle / "slipway.yaml").read_bytes()).hexdigest()

    with processes.running(tmp_path, bundle, SLIPWAY_BUNDLE_SHA256=pin) as process:
        sample = (
            f'slipway_model_info{{digest="{pin}",model="model",provider="CPUExecutionProvider",version="1"}}'
        )
        assert process.metric(sample) == 1


def test_a_folder_as_optimum_writes_it_is_served_when_nothing_is_pinned(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "sentiment"
    bundles.write(folder)
    (folder / "slipway.yaml").unlink()
    for name in ("special_tokens_map.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).write_text("{}")

    with processes.running(tmp_path / "run", folder) as process:
        assert process.predict("awful").json()["predictions"][0]["label"] == "negative"


def test_the_download_is_gone_once_the_model_is_loaded(tmp_path: pathlib.Path, bundle: pathlib.Path) -> None:
    with processes.running(tmp_path, bundle) as process:
        assert list((tmp_path / "cache").iterdir()) == []
        assert process.predict("good").status_code == 200


def test_what_a_killed_process_left_behind_is_swept(tmp_path: pathlib.Path, bundle: pathlib.Path) -> None:
    abandoned = tmp_path / "cache" / "bundle-abandoned"
    (abandoned / "files").mkdir(parents=True)
    (abandoned / ".lock").touch()
    (abandoned / "files" / "model.onnx").write_bytes(b"x" * 1000)

    with processes.running(tmp_path, bundle):
        assert not abandoned.exists()
