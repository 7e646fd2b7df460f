"""A real kube-apiserver on a real etcd, both on loopback, for the recorder to watch; controllers on request.

Must not know what is recorded.
"""

import base64
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.cluster.toolchain import binaries

_TOKEN = "recorder-tests"
_GRACE = 15.0


class ControlPlane:
    """etcd and kube-apiserver in `folder`; the API server may be ended and started again."""

    def __init__(self, folder: Path, *, admission: Sequence[str] = ()) -> None:
        self.folder = folder
        self._admission = ",".join(admission)
        self.kubeconfig = folder / "kubeconfig"
        self.port = free_port()
        self._etcd_port = free_port()
        self._programs = binaries(["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"])
        self.kubectl = Kubectl(self._programs["kubectl"], self.kubeconfig)
        self._etcd: subprocess.Popen[bytes] | None = None
        self._apiserver: subprocess.Popen[bytes] | None = None
        self._controllers: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once the API server is ready."""
        self._make_keys()
        self._etcd = self._run("etcd", self._etcd_arguments())
        self.start_apiserver()
        write_kubeconfig(self.kubeconfig, self.port, self.folder / "pki" / "apiserver.crt")
        self._wait(lambda: self.kubectl.attempt("get", "namespace", "default").returncode == 0)

    def stop(self) -> None:
        """The API server first: one that loses its etcd hangs."""
        _end(self._controllers)
        self.stop_apiserver()
        _end(self._etcd)

    def start_controllers(self, *further: str) -> None:
        """Those that make pods and EndpointSlices, and `further` ones. Nothing schedules or runs the pods."""
        controllers = ("deployment-controller", "replicaset-controller", "endpointslice-controller", *further)
        arguments = [
            f"--kubeconfig={self.kubeconfig}",
            f"--controllers={','.join(controllers)}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
        ]
        self._controllers = self._run("kube-controller-manager", arguments)

    def start_apiserver(self) -> None:
        self._apiserver = self._run("kube-apiserver", self._apiserver_arguments())
        self._wait(self._is_ready)

    def stop_apiserver(self) -> None:
        _end(self._apiserver)
        self._apiserver = None

    def compact(self) -> None:
        """Make etcd forget all that lies before now."""
        status = self._ask_etcd("/v3/maintenance/status", {})
        revision = status["header"]["revision"]
        self._ask_etcd("/v3/kv/compaction", {"revision": revision, "physical": True})

    def _make_keys(self) -> None:
        (self.folder / "pki").mkdir(parents=True)
        openssl = shutil.which("openssl") or "openssl"
        subprocess.run(
            [openssl, "genrsa", "-out", self.folder / "sa.key", "2048"], check=True, capture_output=True
        )
        (self.folder / "tokens.csv").write_text(f"{_TOKEN},admin,admin,system:masters\n")

    def _run(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [self._programs[name], *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _etcd_arguments(self) -> list[str]:
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{free_port()}"
        return [
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            "--unsafe-no-fsync",
        ]

    def _apiserver_arguments(self) -> list[str]:
        key = self.folder / "sa.key"
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--cert-dir={self.folder / 'pki'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--disable-admission-plugins=ServiceAccount",
            *([f"--enable-admission-plugins={self._admission}"] if self._admission else []),
        ]

    def _is_ready(self) -> bool:
        if self._apiserver is None or self._apiserver.poll() is not None:
            raise RuntimeError(f"kube-apiserver ended; its log is {self.folder / 'kube-apiserver.log'}")
        try:
            certificate = (self.folder / "pki" / "apiserver.crt").exists()
            return certificate and self._answers("/readyz")
        except (OSError, http.client.HTTPException):
            return False

    def _answers(self, path: str) -> bool:
        context = ssl.create_default_context(cafile=str(self.folder / "pki" / "apiserver.crt"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {_TOKEN}"})
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def _ask_etcd(self, path: str, body: dict[str, object]) -> dict[str, dict[str, str]]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._etcd_port}{path}", data=json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            parsed: dict[str, dict[str, str]] = json.load(answer)
            return parsed

    def _wait(self, condition: Callable[[], bool], *, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready after {seconds:g} s; the logs are in {self.folder}")
            time.sleep(0.3)


def write_kubeconfig(path: Path, port: int, certificate: Path) -> None:
    """An administrator's kubeconfig for the API server at that port of loopback."""
    data = base64.b64encode(certificate.read_bytes()).decode()
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": data}
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": _TOKEN}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path.write_text(json.dumps(body))


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def control_plane_or_skip(folder: Path, *, admission: Sequence[str] = ()) -> ControlPlane:
    """Without its programs: a skip, and in CI a failure."""
    try:
        return ControlPlane(folder, admission=admission)
    except ClusterError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
