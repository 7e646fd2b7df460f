"""kind, through pytest-kind, where a Docker engine answers.

Thin on purpose, and NOT YET RUN: the project's own machines have no Docker engine with kind's node images, so
that this file is written from the documentation of both. The tests do not know on which provider they run.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.cluster import commands, gpus, paths, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.cluster.stages import stage

if TYPE_CHECKING:
    from pytest_kind import KindCluster as PytestKind

NAME = "slipway"
# The pair of one kind release: its notes name the images, by digest, that were built for it.
VERSION = "v0.33.0"
IMAGE = "kindest/node:v1.35.8@sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0"


@dataclass(frozen=True, slots=True)
class KindCluster:
    """Nodes as Docker containers. KIND_VERSION and KIND_NODE_IMAGE replace the pinned versions."""

    state: Path = paths.STATE

    @property
    def description(self) -> str:
        return "kind"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def kubectl(self) -> Kubectl:
        return Kubectl(toolchain.installed_or_built("kubectl"), self.kubeconfig)

    @property
    def audit_log(self) -> None:
        return None

    def up(self, nodes: int = 2) -> None:
        present = self._containers()
        if present and len(present) != nodes:
            self.down()
        if len(present) == nodes and self.kubeconfig.is_file():
            return
        self.state.mkdir(parents=True, exist_ok=True)
        config = self.state / "kind.yaml"
        config.write_text(_configuration(nodes))
        with stage(f"start {nodes} kind nodes"):
            self._kind().create(config)

    def down(self) -> None:
        if self._containers():
            with stage("take the kind nodes down"):
                self._kind().delete()
        self.kubeconfig.unlink(missing_ok=True)

    def status(self) -> str:
        return f"kind has the nodes {', '.join(self._containers()) or '(none)'}"

    def nodes(self) -> list[str]:
        return sorted(item["metadata"]["name"] for item in self.kubectl.list("nodes"))

    def load_image(self, archive: Path, reference: str) -> None:
        if all(self._has(node, reference) for node in self._containers()):
            return
        load = ["load", "image-archive", str(archive), "--name", NAME]
        commands.run([self._kind().kind_path, *load], timeout=600)

    def run_in_node_network(
        self, node: str, argv: Sequence[str], *, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        pid = commands.run(["docker", "inspect", "-f", "{{.State.Pid}}", node]).strip()
        return commands.attempt(["nsenter", f"--net=/proc/{pid}/ns/net", *argv], timeout=timeout)

    def set_gpus(self, node: str, count: int) -> None:
        gpus.advertise(self.kubectl, node, count)

    def _containers(self) -> list[str]:
        label = f"label=io.x-k8s.kind.cluster={NAME}"
        return sorted(
            commands.run(["docker", "ps", "-q", "--filter", label, "--format", "{{.Names}}"]).split()
        )

    def _has(self, node: str, reference: str) -> bool:
        known = commands.attempt(["docker", "exec", node, "crictl", "inspecti", "-q", reference])
        return known.returncode == 0

    def _kind(self) -> "PytestKind":
        version = os.environ.setdefault("KIND_VERSION", VERSION)
        import pytest_kind  # reads KIND_VERSION while it is imported

        program = paths.cache() / "bin" / f"kind-{version}"
        program.parent.mkdir(parents=True, exist_ok=True)
        image = os.environ.get("KIND_NODE_IMAGE", IMAGE)
        with contextlib.chdir(self.state):  # it makes a folder where it stands
            kind = pytest_kind.KindCluster(NAME, self.kubeconfig, image=image, kind_path=program)
        kind.ensure_kind()
        return kind


def engine_answers() -> bool:
    """Whether a Docker engine can be used from here."""
    if shutil.which("docker") is None:
        return False
    try:
        return commands.attempt(["docker", "info"], timeout=20).returncode == 0
    except ClusterError:
        return False


def _configuration(nodes: int) -> str:
    roles = ["control-plane", *["worker"] * (nodes - 1)]
    content = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": role} for role in roles],
    }
    return yaml.safe_dump(content)
