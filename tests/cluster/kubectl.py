"""kubectl as the tests use it: dicts in, dicts out.

Must not know which provider the cluster comes from.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import commands
from tests.cluster.errors import ClusterError

JsonObject = dict[str, Any]
Manifest = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]


class KubectlError(ClusterError):
    """kubectl failed; `stderr` is what it said."""

    def __init__(self, arguments: Sequence[str], stderr: str) -> None:
        super().__init__(f"`{commands.display(['kubectl', *arguments])}` failed: {stderr.strip()}")
        self.stderr = stderr

    @property
    def not_found(self) -> bool:
        return "(NotFound)" in self.stderr


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One kubectl binary on one kubeconfig."""

    binary: Path
    kubeconfig: Path

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Standard output; raises KubectlError when kubectl fails."""
        done = self.attempt(*arguments, stdin=stdin, timeout=timeout)
        if done.returncode != 0:
            raise KubectlError(arguments, done.stderr or done.stdout)
        return done.stdout

    def attempt(
        self, *arguments: str, stdin: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """The finished kubectl, whatever its exit status."""
        return commands.attempt(self.argv(*arguments), stdin=stdin, timeout=timeout)

    def popen(self, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """A kubectl that goes on running (`logs -f`, `get -w`, `port-forward`); the caller ends it."""
        return subprocess.Popen(
            self.argv(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def argv(self, *arguments: str) -> list[str]:
        """The whole command line, for a caller that starts it in its own way."""
        return [str(self.binary), "--kubeconfig", str(self.kubeconfig), *arguments]

    def apply(
        self, manifest: Manifest, *, namespace: str | None = None, field_manager: str | None = None
    ) -> None:
        """Apply YAML text, one object or several; server-side when a field manager is named."""
        flags = ["--server-side", "--field-manager", field_manager] if field_manager else []
        self.run("apply", *_in(namespace), *flags, "-f", "-", stdin=_text(manifest))

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> JsonObject:
        """One object; raises KubectlError (`not_found`) when there is none."""
        return _object(self.run("get", kind, name, *_in(namespace), "-o", "json"))

    def find(self, kind: str, name: str, *, namespace: str | None = None) -> JsonObject | None:
        """One object, or None when there is none."""
        found = self.run("get", kind, name, *_in(namespace), "-o", "json", "--ignore-not-found")
        return _object(found) if found.strip() else None

    def list(
        self, kind: str, *, namespace: str | None = None, selector: str | None = None
    ) -> list[JsonObject]:
        """All objects of a kind; namespace "*" means all namespaces."""
        where = ["--all-namespaces"] if namespace == "*" else _in(namespace)
        which = ["-l", selector] if selector else []
        items: list[JsonObject] = _object(self.run("get", kind, *where, *which, "-o", "json"))["items"]
        return items

    def raw(self, path: str) -> str:
        """What the API server answers to a GET of that path."""
        return self.run("get", "--raw", path)

    def patch(
        self,
        kind: str,
        name: str,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        subresource: str | None = None,
    ) -> None:
        """A JSON merge patch."""
        part = ["--subresource", subresource] if subresource else []
        self.run("patch", kind, name, *_in(namespace), *part, "--type", "merge", "-p", json.dumps(patch))

    def delete(
        self, kind: str, name: str, *, namespace: str | None = None, wait: bool = True, timeout: float = 120
    ) -> None:
        """Delete one object; none there is fine."""
        flags = ["--ignore-not-found", f"--wait={str(wait).lower()}"]
        self.run("delete", kind, name, *_in(namespace), *flags, timeout=timeout)

    def wait(self, condition: str, *what: str, namespace: str | None = None, timeout: float = 60) -> None:
        """Wait for `condition=Ready`, `delete`, `jsonpath=…` of ("pod/a",) or ("pod", "-l", "x=y")."""
        limit = f"--timeout={timeout:g}s"
        self.run("wait", f"--for={condition}", limit, *_in(namespace), *what, timeout=timeout + 10)


def _in(namespace: str | None) -> list[str]:
    return ["-n", namespace] if namespace else []


def _text(manifest: Manifest) -> str:
    match manifest:
        case str():
            return manifest
        case Mapping():
            return json.dumps(manifest)
        case _:
            return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifest)})


def _object(text: str) -> JsonObject:
    parsed: JsonObject = json.loads(text)
    return parsed
