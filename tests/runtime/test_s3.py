"""Bundles in a bucket: the way a pod gets them, and every way in which that fails."""

import pathlib
import socket

import httpx
import pytest

from tests.runtime import bundles, forwarder, processes
from tests.runtime.storage import BUCKET, S3Server

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def stored(s3: S3Server, bundle: pathlib.Path) -> S3Server:
    """The server, with the good bundle at s3://models/sentiment/1."""
    s3.upload(bundle, "sentiment/1")
    return s3


@pytest.mark.parametrize(
    "where",
    [
        {"MODEL_URI": "s3://models/sentiment/1"},
        {"MODEL_URI": "s3://models/sentiment/1/"},
        {"MODEL_BUCKET": "models", "MODEL_KEY": "sentiment/1"},
        {"MODEL_BUCKET": "s3://models", "MODEL_KEY": "sentiment/1/"},
    ],
    ids=["a URI", "a URI with a slash at its end", "bucket and key", "bucket with a scheme"],
)
def test_a_bundle_is_served_from_a_bucket(
    stored: S3Server, tmp_path: pathlib.Path, where: dict[str, str]
) -> None:
    with processes.starting(tmp_path, **stored.environment, **where) as process:
        process.wait_until_ready()
        prediction = process.predict("great").json()["predictions"][0]
        origin = httpx.get(f"{process.url}/health").json()["models"][0]["origin"]

    stored_model = stored.client().head_object(Bucket=BUCKET, Key="sentiment/1/model.onnx")
    assert {file["name"]: file["etag"] for file in origin["files"]}["model.onnx"] == stored_model["ETag"]
    assert prediction["label"] == "positive"
    assert prediction["model_version"] == "1"  # the last part of the URI, when MODEL_VERSION is not set


@pytest.mark.parametrize(
    ("uri", "changes", "reason", "subject"),
    [
        ("s3://nowhere/sentiment/1", {}, "SourceNotFound", "s3://nowhere"),
        ("s3://models/sentiment/9", {}, "SourceNotFound", "s3://models/sentiment/9"),
        (
            "s3://models/sentiment/1",
            {"AWS_SECRET_ACCESS_KEY": "wrong"},
            "SourceForbidden",
            "s3://models/sentiment/1",
        ),
        (
            "s3://models/sentiment/1",
            {"AWS_ACCESS_KEY_ID": "nobody"},
            "SourceForbidden",
            "s3://models/sentiment/1",
        ),
        (
            "s3://models/sentiment/1",
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "SourceForbidden",
            "s3://models/sentiment/1",
        ),
        (
            "s3://models/sentiment/1",
            {"AWS_ENDPOINT_URL": "not a url"},
            "ConfigurationInvalid",
            "AWS_ENDPOINT_URL",
        ),
    ],
    ids=[
        "no such bucket",
        "no such folder",
        "a wrong secret",
        "an unknown key",
        "no credentials",
        "no endpoint",
    ],
)
def test_a_source_that_cannot_be_read_is_named(
    stored: S3Server,
    tmp_path: pathlib.Path,
    uri: str,
    changes: dict[str, str],
    reason: str,
    subject: str,
) -> None:
    environment = {**stored.environment, "HOME": str(tmp_path), "MODEL_URI": uri, **changes}
    with processes.starting(tmp_path, **environment) as process:
        ending = process.wait_for_end()

    assert ending.code == 1
    assert (ending.message["reason"], ending.message["object"]) == (reason, subject), ending.message


def test_an_endpoint_that_refuses_connections_is_unavailable(
    tmp_path: pathlib.Path, stored: S3Server
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {**stored.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    with processes.starting(tmp_path, MODEL_URI="s3://models/sentiment/1", **environment) as process:
        ending = process.wait_for_end(timeout=60)

    assert ending.message["reason"] == "SourceUnavailable"
    assert f"http://127.0.0.1:{port}" in ending.message["message"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("model.onnx", b"half of it", "DigestMismatch"),
        ("slipway.yaml", b"schemaVersion: 1", "DigestMismatch"),
        ("model.pkl", b"x", "UnsafeModel"),
        ("old/model.onnx", b"x", "BundleInvalid"),
        ("notes.txt", b"x", "BundleInvalid"),
    ],
    ids=["a truncated model", "another manifest", "a pickle", "a folder in the folder", "an unlisted file"],
)
def test_an_object_that_is_not_as_pinned_is_named(
    s3: S3Server,
    tmp_path: pathlib.Path,
    request: pytest.FixtureRequest,
    name: str,
    content: bytes,
    reason: str,
) -> None:
    prefix = f"changed/{abs(hash(request.node.name))}"
    pin = bundles.write(tmp_path / "bundle")
    s3.upload(tmp_path / "bundle", prefix)
    s3.client().put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=content)
    environment = {"MODEL_URI": f"s3://{BUCKET}/{prefix}", "SLIPWAY_BUNDLE_SHA256": pin}

    with processes.starting(tmp_path / "run", **s3.environment, **environment) as process:
        ending = process.wait_for_end()

    assert ending.code == 1
    assert (ending.message["reason"], ending.message["object"]) == (reason, f"s3://{BUCKET}/{prefix}/{name}")


def test_a_bundle_that_answers_wrongly_is_refused(s3: S3Server, tmp_path: pathlib.Path) -> None:
    bundles.write(tmp_path / "bundle", bundles.BundleOptions(flipped=True))
    s3.upload(tmp_path / "bundle", "flipped/1")

    with processes.starting(tmp_path / "run", MODEL_URI="s3://models/flipped/1", **s3.environment) as process:
        ending = process.wait_for_end()

    assert (ending.code, ending.message["reason"]) == (1, "GoldenMismatch")
    assert "'good' should be positive" in ending.message["message"]
    assert "got negative" in ending.message["message"]


@pytest.fixture
def large(s3: S3Server, tmp_path: pathlib.Path) -> str:
    """A bundle with a file of 3 MB. Returns its URI."""
    folder = tmp_path / "bundle"
    bundles.write(folder)
    (folder / "notes.bin").write_bytes(b"x" * 3_000_000)
    bundles.write_manifest(folder, bundles.BundleOptions())
    s3.upload(folder, "large/1")
    return "s3://models/large/1"


def test_a_download_that_breaks_off_is_begun_again(s3: S3Server, large: str, tmp_path: pathlib.Path) -> None:
    with forwarder.forwarding(s3.port) as breaking:
        breaking.cuts, breaking.cut_bytes = 2, 1_000_000
        environment = {**s3.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{breaking.port}"}
        with processes.starting(tmp_path / "run", MODEL_URI=large, **environment) as process:
            process.wait_until_ready()

        assert breaking.cuts <= 0


def test_a_download_that_breaks_off_all_the_time_is_given_up(
    s3: S3Server, large: str, tmp_path: pathlib.Path
) -> None:
    with forwarder.forwarding(s3.port) as breaking:
        breaking.cuts, breaking.cut_bytes = 1_000_000, 50_000
        environment = {
            **s3.environment,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{breaking.port}",
            "SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS": "4",
        }
        with processes.starting(tmp_path / "run", MODEL_URI=large, **environment) as process:
            ending = process.wait_for_end()

    assert (ending.code, ending.message["reason"]) == (1, "SourceUnavailable")
    assert ending.message["object"] == f"{large}/notes.bin"


def test_a_download_that_takes_too_long_is_given_up(s3: S3Server, large: str, tmp_path: pathlib.Path) -> None:
    environment = {**s3.environment, "SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS": "0.001"}
    with processes.starting(tmp_path / "run", MODEL_URI=large, **environment) as process:
        ending = process.wait_for_end()

    assert ending.message["reason"] == "SourceUnavailable"
    assert "SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS" in ending.message["message"]


def test_no_secret_is_logged(stored: S3Server, tmp_path: pathlib.Path) -> None:
    environment = {**stored.environment, "MODEL_URI": "s3://models/sentiment/9", "SLIPWAY_LOG_LEVEL": "DEBUG"}
    with processes.starting(tmp_path, **environment) as process:
        ending = process.wait_for_end()

    assert stored.environment["AWS_SECRET_ACCESS_KEY"] not in f"{process.log}{ending.message}"
