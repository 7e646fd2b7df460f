"""Quick looks at the API server: one `kubectl proxy` on a private socket, in place of a kubectl a look.

A kubectl a second for each thing looked at costs a small machine a third of a processor, which the pods
under test would miss. Must not know what is looked at.
"""

from __future__ import annotations

import http.client
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class QuickKubectl(Kubectl):
    """kubectl, whose `raw` goes through the proxy's socket."""

    proxy: Path

    def raw(self, path: str) -> str:
        """What the API server answers to a GET of that path; ClusterError when it refuses, or is away."""
        connection = _UnixConnection(self.proxy)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise ClusterError(f"The API server does not answer GET {path}: {error}") from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise ClusterError(
                f"The API server answers GET {path} with {answer.status}: {text.strip()[:300]}"
            )
        return text


@contextmanager
def quick(kubectl: Kubectl) -> Iterator[QuickKubectl]:
    """Run the proxy as long as the `with`; nobody but this user can reach its socket."""
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        proxy = Path(folder) / "api"
        process = kubectl.popen("proxy", f"--unix-socket={proxy}")
        try:
            said = process.stdout.readline() if process.stdout else ""
            if "Starting to serve" not in said:
                raise ClusterError(f"`kubectl proxy` does not start: {said.strip() or 'it says nothing'}")
            yield QuickKubectl(kubectl.binary, kubectl.kubeconfig, proxy)
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))
