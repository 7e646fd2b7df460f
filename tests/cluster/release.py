"""Installs the chart as a person would, with Helm.

Must not know which cluster it is, nor how the images came into it.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import commands, s3_manifests, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl

NAME = "slipway"
NAMESPACE = "slipway-system"
PATIENCE = 10.0
PODS = "app.kubernetes.io/name=slipway-operator"
"""Selects the operator's pods."""
_HOPELESS = {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError"}
_INTERRUPTED = "owner=helm,name={name},status in (pending-install,pending-upgrade,pending-rollback)"


@dataclass(frozen=True, slots=True)
class Release:
    """The one release of the chart in a cluster."""

    kubectl: Kubectl
    chart: Path

    def install(self, values: Mapping[str, Any]) -> None:
        """Install or upgrade, and return once the operator is ready."""
        self.kubectl.apply(s3_manifests.restricted_namespace(NAMESPACE), field_manager="slipway-harness")
        self._forget_interrupted()
        options = ["--history-max=3", "--values=-"]
        self._helm("upgrade", "--install", NAME, str(self.chart), *options, stdin=json.dumps(values))
        self.wait()

    def wait(self, timeout: float = 180) -> None:
        """Return once the operator is ready; ClusterError as soon as it cannot become so."""
        # Helm's own --wait would sit out its whole time on a pod that crashes again and again.
        began = hopeful = time.monotonic()
        while not self._ready():
            now, stuck = time.monotonic(), self._stuck()
            hopeful = hopeful if stuck else now
            # The pod of before an upgrade may be stuck too: it is given the time to go.
            if now - hopeful > PATIENCE or now - began > timeout:
                raise ClusterError(f"The operator is not ready: {stuck or 'too slow'}.\n{self.report()}")
            time.sleep(0.5)

    def uninstall(self) -> None:
        """Remove the release; the CRD and its models stay."""
        self._helm("uninstall", NAME, "--ignore-not-found", "--wait")

    def report(self) -> str:
        """How the operator's pods are and what they said last."""
        where = ("-n", NAMESPACE, "-l", PODS)
        pods = self.kubectl.attempt("get", "pods", *where).stdout
        logs = self.kubectl.attempt("logs", *where, "--tail=20").stdout
        return f"The operator's pods:\n{commands.tail(pods)}\nTheir last words:\n{commands.tail(logs)}"

    def _ready(self) -> bool:
        deployment = self.kubectl.get("deployment", NAME, namespace=NAMESPACE)
        status = deployment["status"]
        seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
        wanted = deployment["spec"]["replicas"]
        return bool(seen and status.get("updatedReplicas") == status.get("availableReplicas") == wanted)

    def _stuck(self) -> str | None:
        """Why a pod waits, when waiting longer is of no use."""
        pods = self.kubectl.list("pods", namespace=NAMESPACE, selector=PODS)
        staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        containers = [one for pod in staying for one in pod["status"].get("containerStatuses", [])]
        reasons = [one["state"].get("waiting", {}).get("reason") for one in containers]
        return next((reason for reason in reasons if reason in _HOPELESS), None)

    def _forget_interrupted(self) -> None:
        """Helm refuses for good what was cut short once; its record of that is dropped."""
        selector = _INTERRUPTED.format(name=NAME)
        self.kubectl.run("delete", "secret", "-n", NAMESPACE, "-l", selector, "--ignore-not-found")

    def _helm(self, *arguments: str, stdin: str | None = None) -> str:
        where = ["--kubeconfig", str(self.kubectl.kubeconfig), "--namespace", NAMESPACE]
        argv = [str(toolchain.binary("helm")), *arguments, *where]
        return commands.run(argv, stdin=stdin, timeout=180)
