"""Models of an MLflow registry: the real server, with its artifacts in S3 or handed out by itself."""

import hashlib
import http.server
import pathlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from slipway_runtime.artifacts import bundle, location, sources
from slipway_runtime.artifacts.source import Source
from slipway_runtime.failures import Reason, StartupError
from tests.runtime import bundles, processes, proxy, registry
from tests.runtime.registry import Registry
from tests.runtime.storage import S3Server

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module", params=["in S3", "proxied"])
def models(
    request: pytest.FixtureRequest, s3: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    """A server with the models of mlflow_models.py, once for each way to reach the artifacts."""
    directory = tmp_path_factory.mktemp("mlflow")
    bundles.write(directory / "bundle")
    with registry.serve(s3, directory, proxied=request.param == "proxied") as server:
        server.register("sentiment", directory / "bundle")
        yield server


@pytest.fixture
def given(models: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Registry:
    """The environment of a process that reads from it."""
    for name, value in _environment(models).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    return models


def _environment(models: Registry) -> dict[str, str]:
    pythonpath = str(processes.ROOT / "runtime")
    return {**models.s3.environment, "MLFLOW_TRACKING_URI": models.url, "PYTHONPATH": pythonpath}


def _open(uri: str, *, patience: float = 60) -> Source:
    return sources.at(location.parse(uri, variable="MODEL_URI"), deadline=time.monotonic() + patience)


@pytest.mark.parametrize("uri", ["models:/sentiment-onnx/1", "models:/sentiment-onnx@champion"])
def test_an_onnx_model_is_fetched_without_the_housekeeping_beside_it(
    given: Registry, tmp_path: pathlib.Path, uri: str
) -> None:
    source = _open(uri)

    fetched = bundle.fetch(source, tmp_path, pin=None)

    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    origin = source.origin()
    assert (origin.uri, origin.registered) == (uri, "models:/sentiment-onnx/1")
    assert origin.resolved.startswith(("s3://models/mlflow-", "mlflow-artifacts:/"))
    assert origin.files[0].sha256 == hashlib.sha256(fetched.model.read_bytes()).hexdigest()


def test_a_pickle_of_a_registry_is_refused_with_the_way_out(given: Registry, tmp_path: pathlib.Path) -> None:
    with pytest.raises(StartupError, match="skl2onnx") as caught:
        bundle.fetch(_open("models:/sentiment-sklearn/1"), tmp_path, pin=None)

    assert caught.value.reason is Reason.UNSAFE_MODEL
    assert caught.value.subject.endswith("/model.pkl")


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("models:/nobody/1", "Registered Model with name=nobody not found"),
        ("models:/sentiment-onnx/7", "version=7) not found"),
        ("models:/sentiment-onnx@nobody", "alias nobody not found"),
    ],
    ids=["no such model", "no such version", "no such alias"],
)
def test_what_is_not_registered_is_not_found(given: Registry, uri: str, says: str) -> None:
    with pytest.raises(StartupError) as caught:
        _open(uri).items()

    assert (caught.value.reason, caught.value.subject) == (Reason.SOURCE_NOT_FOUND, uri)
    assert says in caught.value.message


def test_a_bundle_of_a_registry_is_served(models: Registry, tmp_path: pathlib.Path) -> None:
    environment = {**_environment(models), "MODEL_URI": "models:/sentiment-bundle/1"}
    with processes.starting(tmp_path, **environment) as process:
        process.wait_until_ready()
        prediction = process.predict("great").json()["predictions"][0]

    assert (prediction["label"], prediction["model_version"]) == ("positive", "1")


def test_an_alias_becomes_the_version_that_it_stood_for(models: Registry, tmp_path: pathlib.Path) -> None:
    environment = {**_environment(models), "HOME": str(tmp_path)}
    uri = "models:/sentiment-onnx@champion"
    ending = processes.resolve(tmp_path / "pod", MODEL_URI=uri, **environment)

    assert (ending.code, ending.message["registered"]) == (0, "models:/sentiment-onnx/1")
    in_s3 = ending.message["uri"].startswith("s3://models/mlflow-")
    assert in_s3 or ending.message["uri"] == "models:/sentiment-onnx/1"
    # A server that hands out files itself has no names for their bytes: only a slipway.yaml pins them.
    assert ("digest" in ending.message) is in_s3


def test_an_artifact_of_a_registry_is_pinned_by_its_manifest(
    models: Registry, tmp_path: pathlib.Path
) -> None:
    environment = {**_environment(models), "HOME": str(tmp_path), "MODEL_URI": "models:/sentiment-bundle/1"}
    found = processes.resolve(tmp_path / "pod", **environment).message

    frozen = {"MODEL_URI": found["uri"], "SLIPWAY_BUNDLE_SHA256": found["digest"]}
    with processes.starting(tmp_path / "serving", **{**environment, **frozen}) as process:
        process.wait_until_ready()


def test_nobody_but_the_registry_is_told_anything(given: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    with proxy.proxying({}) as forward:
        monkeypatch.setenv("HTTP_PROXY", forward.url)
        monkeypatch.setenv("HTTPS_PROXY", forward.url)
        _open("models:/sentiment-onnx/1").items()

    assert forward.asked == []


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> pytest.MonkeyPatch:
    """An environment without a registry."""
    monkeypatch.setenv("PYTHONPATH", str(processes.ROOT / "runtime"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    return monkeypatch


@pytest.mark.parametrize("uri", ["", "sqlite:///mlflow.db", "databricks", "http://169.254.169.254/"])
def test_a_registry_is_a_server_and_no_metadata_service(elsewhere: pytest.MonkeyPatch, uri: str) -> None:
    elsewhere.setenv("MLFLOW_TRACKING_URI", uri)

    with pytest.raises(StartupError) as caught:
        _open("models:/sentiment/1").items()

    assert (caught.value.reason, caught.value.subject) == (
        Reason.CONFIGURATION_INVALID,
        "MLFLOW_TRACKING_URI",
    )


class _Refusing(http.server.BaseHTTPRequestHandler):
    """Refuses a wrong password as a server with basic authentication does, and redirects at /moved."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        moved = self.path.startswith("/moved")
        self.send_response(302 if moved else 401)
        if moved:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def refusing() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_password_that_is_refused_is_said_and_not_shown(
    elsewhere: pytest.MonkeyPatch, refusing: str
) -> None:
    elsewhere.setenv("MLFLOW_TRACKING_URI", f"http://somebody:geheim@{refusing}")

    with pytest.raises(StartupError) as caught:
        _open("models:/sentiment/1").items()

    assert caught.value.reason is Reason.SOURCE_FORBIDDEN
    assert "geheim" not in caught.value.message


def test_a_registry_that_points_elsewhere_is_not_followed(
    elsewhere: pytest.MonkeyPatch, refusing: str
) -> None:
    elsewhere.setenv("MLFLOW_TRACKING_URI", f"http://{refusing}/moved")

    with pytest.raises(StartupError):
        _open("models:/sentiment/1").items()

    assert "/elsewhere" not in _Refusing.asked


def test_a_registry_that_is_silent_is_left_at_the_deadline(elsewhere: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        elsewhere.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(StartupError, match="SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS") as caught:
            _open("models:/sentiment/1", patience=3).items()

    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "uri", ["models:/sentiment", "models:/sentiment/latest", "models:/a/b/1", "models:/../1@x", "models:/m@"]
)
def test_a_name_without_a_version_is_refused(uri: str) -> None:
    with pytest.raises(StartupError, match="neither models:/name/version nor models:/name@alias"):
        location.parse(uri, variable="MODEL_URI")
