"""A runtime as a process: started as in a pod, asked over sockets, told to stop by signals."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

ROOT = pathlib.Path(__file__).parents[2]
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended: its exit code and its termination message."""

    code: int
    message: dict[str, Any]


class RuntimeProcess:
    """One running `python -m slipway_runtime`. Make it with `running` or `starting`."""

    def __init__(self, directory: pathlib.Path, environment: Mapping[str, str], *arguments: str) -> None:
        self._termination = directory / "termination-log"
        self.log: list[dict[str, Any]] = []
        self._listening = threading.Event()
        # The directory holds nothing of the caller's environment but what a process needs to run.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "slipway_runtime", *arguments],
            env={
                **kept,
                "PYTHONPATH": str(ROOT / "runtime"),
                "SLIPWAY_HTTP_PORT": "0",
                "SLIPWAY_GRPC_PORT": "0",
                "SLIPWAY_PROBE_PORT": "0",
                "SLIPWAY_HOST": "127.0.0.1",
                "SLIPWAY_POD_NAME": "pod-1",
                "SLIPWAY_CACHE_DIR": str(directory / "cache"),
                "SLIPWAY_TERMINATION_MESSAGE_PATH": str(self._termination),
                "AWS_EC2_METADATA_DISABLED": "true",
                **environment,
            },
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def port(self) -> int:
        return int(self._listening_line()["http"])

    @property
    def grpc_port(self) -> int:
        return int(self._listening_line()["grpc"])

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def probes_url(self) -> str:
        return f"http://127.0.0.1:{self._listening_line()['probes']}"

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if not self.running:
                raise AssertionError(f"the runtime ended with {self._process.returncode}: {self.log}")
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.probes_url}/readyz").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the runtime did not become ready: {self.log}")

    def wait_for_phase(self, phase: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if httpx.get(f"{self.probes_url}/readyz").json()["phase"] == phase:
                return
            time.sleep(0.02)
        raise AssertionError(f"the runtime did not come to {phase}: {self.log}")

    def wait_for_end(self, timeout: float = _PATIENCE) -> Ending:
        code = self._process.wait(timeout)
        self._reader.join(timeout)
        message = json.loads(self._termination.read_text()) if self._termination.exists() else {}
        return Ending(code=code, message=message)

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop the process: what is sent meanwhile waits in the kernel, and is then found all at once."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self.running:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def connect(self, timeout: float = _PATIENCE) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.connect()
        return connection

    def predict(self, *texts: str, **extra: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/predict", json={"texts": list(texts), **extra}, timeout=_PATIENCE)

    def metric(self, sample: str) -> float:
        """The value of one sample, named as in the text format; 0 while there is none."""
        for line in httpx.get(f"{self.probes_url}/metrics").text.splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return 0.0

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"message": line.rstrip()}
            self.log.append(entry)
            if entry["message"] == "listening":
                self._listening.set()

    def _listening_line(self) -> dict[str, Any]:
        if not self._listening.wait(_PATIENCE):
            raise AssertionError(f"the runtime did not listen: {self.log}")
        return next(entry for entry in self.log if entry["message"] == "listening")


@contextlib.contextmanager
def starting(directory: pathlib.Path, **environment: str) -> Iterator[RuntimeProcess]:
    """A process that has just been started. `directory` is its own."""
    directory.mkdir(parents=True, exist_ok=True)
    process = RuntimeProcess(directory, environment)
    try:
        yield process
    finally:
        process.kill()


@contextlib.contextmanager
def running(directory: pathlib.Path, bundle: pathlib.Path, **environment: str) -> Iterator[RuntimeProcess]:
    """A process that serves `bundle` and is ready."""
    with starting(directory, MODEL_URI=bundle.as_uri(), MODEL_VERSION="1", **environment) as process:
        process.wait_until_ready()
        yield process


@contextlib.contextmanager
def resolving(directory: pathlib.Path, **environment: str) -> Iterator[RuntimeProcess]:
    """A process that is to say what its source leads to."""
    directory.mkdir(parents=True, exist_ok=True)
    process = RuntimeProcess(directory, environment, "resolve")
    try:
        yield process
    finally:
        process.kill()


def resolve(directory: pathlib.Path, **environment: str) -> Ending:
    """What it says."""
    with resolving(directory, **environment) as process:
        return process.wait_for_end(timeout=4 * _PATIENCE)
