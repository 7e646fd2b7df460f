"""A cluster that somebody else keeps, named by SLIPWAY_KUBECONFIG.

Nothing is started or removed here. Must not change what it was not asked to change.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import gpus, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.cluster.stages import say

REGISTRY = "SLIPWAY_IMAGE_REGISTRY"


@dataclass(frozen=True, slots=True)
class ExistingCluster:
    """Whatever the kubeconfig's current context points at."""

    kubeconfig: Path

    @property
    def description(self) -> str:
        return f"the cluster of {self.kubeconfig}"

    @property
    def kubectl(self) -> Kubectl:
        return Kubectl(toolchain.installed_or_built("kubectl"), self.kubeconfig)

    @property
    def audit_log(self) -> None:
        return None

    def up(self, nodes: int = 2) -> None:
        found = len(self.nodes())
        if found < nodes:
            raise ClusterError(f"{nodes} nodes are needed, and {self.description} has {found}.")

    def down(self) -> None:
        say(f"{self.description} is not ours: it stays as it is.")

    def status(self) -> str:
        return f"{self.description} has the nodes {', '.join(self.nodes())}"

    def nodes(self) -> list[str]:
        self._require_file()
        return sorted(item["metadata"]["name"] for item in self.kubectl.list("nodes"))

    def load_image(self, archive: Path, reference: str) -> None:
        """Nothing can be put into nodes that are not ours; the nodes must get the image by themselves."""
        say(
            f"{reference} is not loaded into {self.description}: its nodes must have it already, or be able "
            f"to pull it. Push {archive} to a registry they know and name that in {REGISTRY}."
        )

    def run_in_node_network(
        self, node: str, argv: Sequence[str], *, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        del timeout
        raise ClusterError(f"{argv[0]} cannot be run in the network of {node} from here: run it as a pod.")

    def set_gpus(self, node: str, count: int) -> None:
        """Nodes with real GPUs keep theirs, if they are enough."""
        if gpus.allocatable(self.kubectl, node) < count:
            gpus.advertise(self.kubectl, node, count)

    def _require_file(self) -> None:
        if not self.kubeconfig.is_file():
            raise ClusterError(f"SLIPWAY_KUBECONFIG names {self.kubeconfig}, and there is no such file.")
