"""A configuration that makes no sense is refused in a sentence that names its variable."""

import pathlib
import resource
import socket
import time

import pytest

from slipway_runtime import settings
from slipway_runtime.artifacts import disk, location, sources
from slipway_runtime.failures import Reason, StartupError
from tests.runtime import processes

CASES = {
    "no model": ({}, "MODEL_URI", "there is no model to serve"),
    "a bucket without a key": ({"MODEL_BUCKET": "models"}, "MODEL_URI", "there is no model to serve"),
    "a scheme that is not known": ({"MODEL_URI": "http://a/b"}, "MODEL_URI", "neither s3://"),
    "a path without a scheme": ({"MODEL_URI": "/models/1"}, "MODEL_URI", "neither s3://"),
    "a bucket alone": ({"MODEL_URI": "s3://models"}, "MODEL_URI", "'' is not a folder in the bucket"),
    "a bucket that cannot exist": ({"MODEL_URI": "s3://a_b@c/d"}, "MODEL_URI", "is not the name of a bucket"),
    "a key that climbs": ({"MODEL_URI": "s3://models/a/../../b"}, "MODEL_URI", "is not a folder"),
    "a key with a query": ({"MODEL_URI": "s3://models/a?versionId=1"}, "MODEL_URI", "is not a folder"),
    "a file path with a host": ({"MODEL_URI": "file://server/share"}, "MODEL_URI", "not an absolute path"),
    "a key that names the model file": (
        {"MODEL_BUCKET": "s3://models", "MODEL_KEY": "sentiment/1/model.onnx"},
        "MODEL_BUCKET and MODEL_KEY",
        "name the folder that holds model.onnx",
    ),
    "a number that is none": ({"SLIPWAY_MAX_BATCH_SIZE": "many"}, "SLIPWAY_MAX_BATCH_SIZE", "valid integer"),
    "a number out of range": ({"SLIPWAY_HTTP_PORT": "70000"}, "SLIPWAY_HTTP_PORT", "(it is '70000')"),
    "a provider that is not known": (
        {"SLIPWAY_EXECUTION_PROVIDER": "tpu"},
        "SLIPWAY_EXECUTION_PROVIDER",
        "'auto', 'cpu' or 'cuda'",
    ),
    "half a digest": ({"SLIPWAY_BUNDLE_SHA256": "abc"}, "SLIPWAY_BUNDLE_SHA256", "should match pattern"),
    "examples that are not JSON": (
        {"SLIPWAY_VERIFICATION_EXAMPLES": "good is positive"},
        "SLIPWAY_VERIFICATION_EXAMPLES",
        "not a JSON list",
    ),
    "an example without a label": (
        {"SLIPWAY_VERIFICATION_EXAMPLES": '[{"text": "good"}]'},
        "SLIPWAY_VERIFICATION_EXAMPLES.0.label",
        "Field required",
    ),
}


@pytest.mark.parametrize(("environment", "subject", "says"), CASES.values(), ids=CASES.keys())
def test_a_bad_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], subject: str, says: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(StartupError) as caught:
        settings.load().location()

    assert caught.value.reason is Reason.CONFIGURATION_INVALID
    assert caught.value.subject == subject
    assert caught.value.message.startswith(f"{subject}: ")
    assert says in caught.value.message


def test_a_pod_with_a_bad_variable_says_so_and_exits_with_1(tmp_path: pathlib.Path) -> None:
    with processes.starting(tmp_path, MODEL_URI="http://a/b") as process:
        ending = process.wait_for_end()

    assert ending.code == 1
    assert ending.message == {
        "reason": "ConfigurationInvalid",
        "message": "MODEL_URI: 'http://a/b' is neither s3://bucket/folder nor file:///folder "
        "nor models:/name/3",
        "object": "MODEL_URI",
    }


def test_a_pickle_for_a_key_is_refused_before_anything_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_BUCKET", "models")
    monkeypatch.setenv("MODEL_KEY", "sentiment/model.pkl")

    with pytest.raises(StartupError, match="skl2onnx") as caught:
        settings.load().location()

    assert caught.value.reason is Reason.UNSAFE_MODEL


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "[fe80::1]"])
def test_storage_at_a_metadata_address_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}/")

    where = location.parse("s3://models/sentiment/1", variable="MODEL_URI")

    with pytest.raises(StartupError, match="metadata service") as caught:
        sources.at(where, deadline=time.monotonic() + 10)

    assert caught.value.subject == "AWS_ENDPOINT_URL"


def test_a_full_disk_is_said(tmp_path: pathlib.Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(StartupError) as caught:
            disk.copy([b"x" * 600, b"x" * 600], tmp_path / "model.onnx")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    assert caught.value.message == "SLIPWAY_CACHE_DIR: the bundle cannot be written there: File too large"
    assert caught.value.reason is Reason.DISK_FULL


def test_a_gpu_that_is_not_there_is_said(tmp_path: pathlib.Path, bundle: pathlib.Path) -> None:
    environment = {"MODEL_URI": bundle.as_uri(), "SLIPWAY_EXECUTION_PROVIDER": "cuda"}
    with processes.starting(tmp_path, **environment) as process:
        ending = process.wait_for_end()

    assert (ending.code, ending.message["reason"]) == (1, "ProviderUnavailable")


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"MODEL_URI": "s3://models/sentiment/1", "SLIPWAY_HTTP_PORT": port}
        with processes.starting(tmp_path, **environment) as process:
            ending = process.wait_for_end()

    assert ending.message["message"] == f"SLIPWAY_HTTP_PORT: cannot listen on {port}: Address already in use"


def test_a_cache_that_cannot_be_written_is_said(tmp_path: pathlib.Path, bundle: pathlib.Path) -> None:
    environment = {"MODEL_URI": bundle.as_uri(), "SLIPWAY_CACHE_DIR": "/proc/slipway"}
    with processes.starting(tmp_path, **environment) as process:
        ending = process.wait_for_end()

    assert ending.message["object"] == "SLIPWAY_CACHE_DIR"
