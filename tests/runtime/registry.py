"""A real MLflow server on loopback, its artifacts in the S3 server of the tests."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from tests.runtime import environments
from tests.runtime.storage import BUCKET, S3Server

_PATIENCE = 300.0
_WRITER = pathlib.Path(__file__).with_name("mlflow_models.py")
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}


@dataclass(frozen=True, slots=True)
class Registry:
    """A running server, the python of its environment, and the storage behind it."""

    url: str
    python: pathlib.Path
    s3: S3Server

    def register(self, name: str, bundle: pathlib.Path) -> None:
        """Make the models of mlflow_models.py."""
        done = subprocess.run(
            [self.python, _WRITER, self.url, name, bundle],
            env=_environment(self.s3),
            cwd=bundle.parent,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def serve(
    s3: S3Server, directory: pathlib.Path, *, proxied: bool, arguments: tuple[str, ...] = ()
) -> Iterator[Registry]:
    """Run `mlflow server` over a database in `directory`."""
    python = environments.environment("mlflow")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    place = f"s3://{BUCKET}/mlflow-{port}"
    artifacts = (
        ["--serve-artifacts", f"--artifacts-destination={place}"]
        if proxied
        else ["--no-serve-artifacts", f"--default-artifact-root={place}"]
    )
    log = (directory / "mlflow.log").open("w")
    process = subprocess.Popen(
        [
            python,
            "-m",
            "mlflow",
            "server",
            "--host=127.0.0.1",
            f"--port={port}",
            "--workers=1",
            f"--backend-store-uri=sqlite:///{directory / 'mlflow.db'}",
            *artifacts,
        ],
        env=_environment(s3),
        cwd=directory,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # it starts processes of its own
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(url, process, directory / "mlflow.log")
        yield Registry(url, python, s3)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def _environment(s3: S3Server) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **_QUIET, **s3.environment, "MLFLOW_S3_ENDPOINT_URL": s3.url}


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: pathlib.Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310
            return
        time.sleep(0.2)
    raise AssertionError(f"MLflow did not start: {log.read_text()[-2000:]}")
