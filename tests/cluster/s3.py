"""A real S3 server in the cluster: versitygw as a pod, reached from here through kubectl's port-forward.

It has two accounts: the root, whom the tests upload as, and a reader, which is all that models get.
Must not know what is stored, nor who runs the cluster.
"""

import base64
import hashlib
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.cluster import s3_manifests as manifests
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.cluster.s3_session import READER, Keys, Session

BUCKET = "models"
ENDPOINT = f"http://{manifests.NAME}.{manifests.NAMESPACE}.svc.cluster.local:{manifests.PORT}"
_OWNER = "slipway-harness"
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ")


@dataclass(frozen=True, slots=True)
class S3:
    """The server of one cluster. What it stores lives as long as its pod."""

    kubectl: Kubectl

    def deploy(self, image: str) -> None:
        """Have the server answer; next to nothing happens when it does already."""
        root = self._find_root() or Keys("root", secrets.token_hex(20))
        self.kubectl.apply(manifests.all_of(image, _data(root)), field_manager=_OWNER)
        self.wait()

    def wait(self, timeout: float = 120) -> None:
        """Return once the server answers."""
        what = ("rollout", "status", f"deployment/{manifests.NAME}", "-n", manifests.NAMESPACE)
        self.kubectl.run(*what, f"--timeout={timeout:g}s", timeout=timeout + 10)

    def give_reader(self, name: str, namespace: str) -> None:
        """Put the reader's keys into a Secret, under the names that `credentialsSecretName` wants."""
        secret = manifests.secret(name, namespace, _data(self._reader()))
        self.kubectl.apply(secret, field_manager=_OWNER)

    @contextmanager
    def connect(self) -> Iterator[Session]:
        """The server, as its root, on a loopback port that lasts as long as the `with`."""
        with self._forwarded() as port:
            yield Session(f"http://127.0.0.1:{port}", self._root(), self._reader())

    def _root(self) -> Keys:
        root = self._find_root()
        if root is None:
            raise ClusterError(f"There is no S3 server in {manifests.NAMESPACE}: run `make cluster`.")
        return root

    def _find_root(self) -> Keys | None:
        found = self.kubectl.find("secret", manifests.NAME, namespace=manifests.NAMESPACE)
        if found is None:
            return None
        values = {key: base64.b64decode(value).decode() for key, value in found["data"].items()}
        return Keys(values[manifests.ACCESS_KEY], values[manifests.SECRET_KEY])

    def _reader(self) -> Keys:
        """They follow from the root's, so that they need no place of their own."""
        return Keys(READER, hashlib.sha256(f"{READER} {self._root().secret}".encode()).hexdigest()[:40])

    @contextmanager
    def _forwarded(self) -> Iterator[int]:
        where = ("-n", manifests.NAMESPACE, f"service/{manifests.NAME}", f":{manifests.PORT}")
        process = self.kubectl.popen("port-forward", *where)
        try:
            yield _local_port(process)
        finally:
            process.terminate()
            process.communicate()


def _local_port(process: subprocess.Popen[str]) -> int:
    said = process.stdout.readline() if process.stdout else ""
    match = _FORWARDING.match(said)
    if match is None:
        raise ClusterError(
            f"kubectl cannot forward a port to the S3 server: {said.strip() or 'it says nothing'}"
        )
    return int(match[1])


def _data(keys: Keys) -> dict[str, str]:
    return {manifests.ACCESS_KEY: keys.access, manifests.SECRET_KEY: keys.secret}
