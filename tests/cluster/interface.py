"""What a cluster is to the tests and the demo, wherever it comes from.

Must not know any provider: the tests are the same on all of them.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.cluster.kubectl import Kubectl

GPU = "nvidia.com/gpu"


class Cluster(Protocol):
    """A Kubernetes with real nodes. Every method raises ClusterError with a sentence for a person."""

    @property
    def description(self) -> str:
        """What it is, in words that fit after "on": "local nodes", "kind"."""

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig, usable from this machine once `up` has returned."""

    @property
    def kubectl(self) -> Kubectl:
        """kubectl on that kubeconfig."""

    @property
    def audit_log(self) -> Path | None:
        """What pods write by their accounts, in the API server's words; None where nobody notes it."""

    def up(self, nodes: int = 2) -> None:
        """Return with that many Ready nodes; next to nothing happens when they are there already."""

    def down(self) -> None:
        """Remove all that `up` made. Safe to repeat, and after an `up` that was cut short."""

    def status(self) -> str:
        """What is up, in a few words for a person."""

    def nodes(self) -> list[str]:
        """Names of the nodes, in order."""

    def load_image(self, archive: Path, reference: str) -> None:
        """Put the image of a docker-archive into every node that lacks it.

        `reference` is the full name in the archive. A node that has that name is skipped, so that a
        changed image needs a new tag.
        """

    def run_in_node_network(
        self, node: str, argv: Sequence[str], *, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this machine in a node's network; its exit status is the caller's to judge."""

    def set_gpus(self, node: str, count: int) -> None:
        """Give the node that many schedulable `nvidia.com/gpu`, no device behind them; wait for them."""
