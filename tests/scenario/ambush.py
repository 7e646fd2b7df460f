"""Waits for one write of the operator's, kills the operator before it is made, and refuses it.

A validating webhook, served by the test itself: nothing in the product helps. The API server must reach this
machine. Must not know what is written, nor why.
"""

import base64
import json
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from tests.cluster import commands
from tests.cluster.kubectl import JsonObject, Kubectl
from tests.scenario.audit import USER

_LAID = "the ambush is laid"
_PROBE, _WRITE = "/probe", "/write"
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Awaited:
    """A write of the operator's. `condition` is CEL over `object` and, but for a CREATE, `oldObject`."""

    operation: str
    group: str
    resource: str
    condition: str


class Ambush:
    """What waits. It springs once; whatever else the operator writes passes."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self._kill = kill
        self._sprung = threading.Event()
        self._lock = threading.Lock()

    def wait(self, timeout: float) -> None:
        """Return once the operator has been killed; AssertionError when that write does not come."""
        assert self._sprung.wait(timeout), f"the write that was waited for has not come within {timeout:g} s"

    def meet(self) -> bool:
        """The write is here: whether it is to be refused."""
        with self._lock:
            if self._sprung.is_set():
                return False
            self._kill()
            self._sprung.set()
            return True


@contextmanager
def laid(
    kubectl: Kubectl, awaited: Awaited, *, name: str, namespace: str, kill: Callable[[], None]
) -> Iterator[Ambush]:
    """Wait for that write in that namespace, from the moment that this returns; `name` is this one's own."""
    address, ambush, name = _address(kubectl), Ambush(kill), f"ambush-{name}"
    with tempfile.TemporaryDirectory() as folder:
        certificate = _certificate(Path(folder), address)
        with _served(ambush, address, Path(folder)) as port:
            hooks = _hooks(name, awaited, namespace, f"https://{address}:{port}", certificate)
            kubectl.apply(hooks)
            try:
                _until_it_counts(kubectl, name, namespace)
                yield ambush
            finally:
                kubectl.delete("validatingwebhookconfiguration", name)


def _address(kubectl: Kubectl) -> str:
    """This machine's, on the way to the API server."""
    kubeconfig = yaml.safe_load(kubectl.kubeconfig.read_text())
    server = urlsplit(kubeconfig["clusters"][0]["cluster"]["server"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((server.hostname, server.port or 443))
        return str(way.getsockname()[0])


def _until_it_counts(kubectl: Kubectl, name: str, namespace: str) -> None:
    """The API server takes up a webhook a moment after it was made; a dry run that it refuses tells."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        probe = ("create", "configmap", name, "-n", namespace, "--dry-run=server")
        said = kubectl.attempt(*probe).stderr
        if _LAID in said:
            return
        assert time.monotonic() < deadline, f"the API server does not ask this machine: {said}"
        time.sleep(0.2)


# -- the webhook's configuration --


def _hooks(name: str, awaited: Awaited, namespace: str, server: str, certificate: bytes) -> JsonObject:
    operator = f"request.userInfo.username == '{USER}' && "
    probe = Awaited("CREATE", "", "configmaps", f"object.metadata.name == '{name}'")
    write = replace(awaited, condition=operator + awaited.condition)
    common = {
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",  # with the operator's connection gone, no answer must not mean yes
        "timeoutSeconds": 10,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }

    def hook(path: str, met: Awaited) -> JsonObject:
        client = {"url": server + path, "caBundle": base64.b64encode(certificate).decode()}
        return {
            "name": f"{path.strip('/')}.ambush.slipway.dev",
            "clientConfig": client,
            "rules": [_rule(met)],
            "matchConditions": [{"name": "met", "expression": met.condition}],
            **common,
        }

    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [hook(_PROBE, probe), hook(_WRITE, write)],
    }


def _rule(awaited: Awaited) -> JsonObject:
    return {
        "operations": [awaited.operation],
        "apiGroups": [awaited.group],
        "apiVersions": ["*"],
        "resources": [awaited.resource],
    }


# -- its server --


def _certificate(folder: Path, address: str) -> bytes:
    files: list[str | Path] = ["-keyout", folder / "key", "-out", folder / "certificate"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=ambush", "-addext", f"subjectAltName=IP:{address}"]
    commands.run(["openssl", "req", "-x509", *key, "-days", "2", *names, *files])
    return (folder / "certificate").read_bytes()


@contextmanager
def _served(ambush: Ambush, address: str, folder: Path) -> Iterator[int]:
    """The port that it listens on."""
    server = ThreadingHTTPServer((address, 0), _handler(ambush))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, name="ambush", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(ambush: Ambush) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(length))["request"]
            refused = self.path.startswith(_PROBE) or ambush.meet()
            self._answer(_verdict(request["uid"], refused=refused))

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the test tells what it has met."""

    return Handler


def _verdict(uid: str, *, refused: bool) -> bytes:
    response = {"uid": uid, "allowed": not refused, "status": {"code": 503, "message": _LAID}}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
    return json.dumps(review).encode()
