"""`slipway-runtime resolve`: what a source leads to is said before anything is loaded, and can be frozen."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from tests.runtime import bundles, processes
from tests.runtime.processes import RuntimeProcess, resolve, resolving
from tests.runtime.storage import BUCKET, S3Server

NEVER_LOADED = {"fastapi", "grpc", "mlflow", "numpy", "onnxruntime", "tokenizers", "uvicorn"}


@pytest.fixture
def stored(s3: S3Server, tmp_path: pathlib.Path) -> tuple[S3Server, str, str]:
    """The server, the URI of a bundle in it, and the digest of its slipway.yaml."""
    digest = bundles.write(tmp_path / "bundle")
    prefix = f"resolution/{tmp_path.name}"
    s3.upload(tmp_path / "bundle", prefix)
    return s3, f"s3://{BUCKET}/{prefix}", digest


@pytest.mark.s3
def test_a_folder_in_a_bucket_is_pinned_by_its_manifest(
    stored: tuple[S3Server, str, str], tmp_path: pathlib.Path
) -> None:
    s3, uri, digest = stored

    ending = resolve(tmp_path / "pod", MODEL_URI=uri, **s3.environment)

    head = s3.client().head_object(Bucket=BUCKET, Key=f"{uri.removeprefix(f's3://{BUCKET}/')}/slipway.yaml")
    sizes = [path.stat().st_size for path in (tmp_path / "bundle").iterdir()]
    assert ending.code == 0
    versioned = {"versionId": head["VersionId"]} if head.get("VersionId") else {}
    assert ending.message == {
        "uri": uri,
        "digest": digest,
        "etag": head["ETag"].strip('"'),
        "size": sum(sizes),
        "files": len(sizes),
        **versioned,
    }


@pytest.mark.s3
def test_a_folder_without_a_manifest_is_pinned_by_its_listing_and_served_by_that(
    stored: tuple[S3Server, str, str], tmp_path: pathlib.Path
) -> None:
    s3, uri, _ = stored
    s3.client().delete_object(Bucket=BUCKET, Key=f"{uri.removeprefix(f's3://{BUCKET}/')}/slipway.yaml")

    found = resolve(tmp_path / "pod", MODEL_URI=uri, **s3.environment).message

    frozen = {"MODEL_URI": found["uri"], "SLIPWAY_BUNDLE_SHA256": found["digest"]}
    with processes.starting(tmp_path / "serving", **frozen, **s3.environment) as process:
        process.wait_until_ready()
    assert "etag" not in found


@pytest.mark.s3
def test_bytes_that_are_others_after_that_are_not_served(
    stored: tuple[S3Server, str, str], tmp_path: pathlib.Path
) -> None:
    s3, uri, _ = stored
    found = resolve(tmp_path / "pod", MODEL_URI=uri, **s3.environment).message
    bundles.write(tmp_path / "other", bundles.BundleOptions(max_tokens=64))
    s3.upload(tmp_path / "other", uri.removeprefix(f"s3://{BUCKET}/"))

    frozen = {"MODEL_URI": found["uri"], "SLIPWAY_BUNDLE_SHA256": found["digest"]}
    with processes.starting(tmp_path / "serving", **frozen, **s3.environment) as process:
        ending = process.wait_for_end()

    assert (ending.code, ending.message["reason"]) == (1, "DigestMismatch")


def _uploads_a_pickle(s3: S3Server, prefix: str) -> None:
    s3.client().put_object(Bucket=BUCKET, Key=f"{prefix}/model.pkl", Body=b"\x80")


def _uploads_a_stranger(s3: S3Server, prefix: str) -> None:
    s3.client().put_object(Bucket=BUCKET, Key=f"{prefix}/more.bin", Body=b"0")


def _takes_a_file(s3: S3Server, prefix: str) -> None:
    s3.client().delete_object(Bucket=BUCKET, Key=f"{prefix}/model.onnx")


def _changes_nothing(s3: S3Server, prefix: str) -> None:
    """The bundle as it was stored."""


FAILURES: dict[str, tuple[Any, dict[str, str], str, str]] = {
    "no such bucket": (_changes_nothing, {"MODEL_URI": "s3://nowhere/1"}, "SourceNotFound", "s3://nowhere"),
    "no such folder": (
        _changes_nothing,
        {"MODEL_URI": f"s3://{BUCKET}/no/such"},
        "SourceNotFound",
        f"s3://{BUCKET}/no/such",
    ),
    "a wrong key": (_changes_nothing, {"AWS_SECRET_ACCESS_KEY": "wrong"}, "SourceForbidden", ""),
    "another digest": (
        _changes_nothing,
        {"SLIPWAY_BUNDLE_SHA256": "0" * 64},
        "DigestMismatch",
        "/slipway.yaml",
    ),
    "half a digest": (
        _changes_nothing,
        {"SLIPWAY_BUNDLE_SHA256": "ab"},
        "ConfigurationInvalid",
        "SLIPWAY_BUNDLE_SHA256",
    ),
    "no model": (_changes_nothing, {"MODEL_URI": ""}, "ConfigurationInvalid", "MODEL_URI"),
    "a pickle beside the model": (_uploads_a_pickle, {}, "UnsafeModel", "/model.pkl"),
    "a file that nobody lists": (_uploads_a_stranger, {}, "BundleInvalid", "/more.bin"),
    "a listed file that is not there": (_takes_a_file, {}, "SourceNotFound", "/model.onnx"),
}


@pytest.mark.s3
@pytest.mark.parametrize(("spoil", "changes", "reason", "names"), FAILURES.values(), ids=FAILURES)
def test_what_no_pod_could_serve_is_refused_with_the_words_of_a_start(
    stored: tuple[S3Server, str, str],
    tmp_path: pathlib.Path,
    spoil: Any,
    changes: dict[str, str],
    reason: str,
    names: str,
) -> None:
    s3, uri, _ = stored
    spoil(s3, uri.removeprefix(f"s3://{BUCKET}/"))

    ending = resolve(tmp_path / "pod", **{"MODEL_URI": uri, **s3.environment, **changes})

    assert (ending.code, ending.message["reason"]) == (1, reason)
    assert ending.message["object"].endswith(names)


def test_a_folder_of_this_machine_is_pinned_by_its_manifest(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    ending = resolve(tmp_path, MODEL_URI=bundle.as_uri())

    assert (ending.code, ending.message["uri"]) == (0, bundle.as_uri())
    assert len(ending.message["digest"]) == 64


def test_it_ends_at_once_when_it_is_told_to(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        with resolving(tmp_path, MODEL_URI="s3://models/1", AWS_ENDPOINT_URL=endpoint, **keys) as process:
            asked, _ = silent.accept()
            with asked:
                os.kill(process.pid, signal.SIGTERM)
                ending = process.wait_for_end()

    assert (ending.code, ending.message) == (0, {})


def test_it_loads_nothing_that_a_model_runs_on() -> None:
    program = "import sys, slipway_runtime.resolution; print(*{name.split('.')[0] for name in sys.modules})"
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT / "runtime")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert not NEVER_LOADED & set(done.stdout.split())


def test_a_word_that_is_no_command_is_refused(tmp_path: pathlib.Path) -> None:
    process = RuntimeProcess(tmp_path, {}, "serve")
    try:
        assert process.wait_for_end().code == 2
    finally:
        process.kill()
    assert process.log[0]["message"] == "usage: slipway-runtime [resolve]"
