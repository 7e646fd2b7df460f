"""Installs the chart as a person would, with Helm.

Must not know which cluster it is, nor how the images came into it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import commands, s3_manifests, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl

NAME = "slipway"
NAMESPACE = "slipway-system"
TIMEOUT = 180
_INTERRUPTED = "owner=helm,name={name},status in (pending-install,pending-upgrade,pending-rollback)"


@dataclass(frozen=True, slots=True)
class Release:
    """The one release of the chart in a cluster."""

    kubectl: Kubectl
    chart: Path

    def install(self, values: Mapping[str, Any]) -> None:
        """Install or upgrade, and return once the operator is ready; says why when it is not."""
        self.kubectl.apply(s3_manifests.restricted_namespace(NAMESPACE), field_manager="slipway-harness")
        self._forget_interrupted()
        options = ["--wait", f"--timeout={TIMEOUT}s", "--history-max=3", "--values=-"]
        try:
            self._helm("upgrade", "--install", NAME, str(self.chart), *options, stdin=json.dumps(values))
        except ClusterError as failure:
            raise ClusterError(f"{failure}\n{self.report()}") from failure

    def uninstall(self) -> None:
        """Remove the release; the CRD and its models stay."""
        self._helm("uninstall", NAME, "--ignore-not-found", "--wait")

    def report(self) -> str:
        """How the operator's pods are and what they said last."""
        where = ("-n", NAMESPACE, "-l", "app.kubernetes.io/name=slipway-operator")
        pods = self.kubectl.attempt("get", "pods", *where).stdout
        logs = self.kubectl.attempt("logs", *where, "--tail=20").stdout
        return f"The operator's pods:\n{commands.tail(pods)}\nTheir last words:\n{commands.tail(logs)}"

    def _forget_interrupted(self) -> None:
        """Helm refuses for good what was cut short once; its record of that is dropped."""
        selector = _INTERRUPTED.format(name=NAME)
        self.kubectl.run("delete", "secret", "-n", NAMESPACE, "-l", selector, "--ignore-not-found")

    def _helm(self, *arguments: str, stdin: str | None = None) -> str:
        where = ["--kubeconfig", str(self.kubectl.kubeconfig), "--namespace", NAMESPACE]
        argv = [str(toolchain.binary("helm")), *arguments, *where]
        return commands.run(argv, stdin=stdin, timeout=TIMEOUT + 30)
