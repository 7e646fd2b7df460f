"""Chooses where the cluster comes from: SLIPWAY_KUBECONFIG, a Docker engine, or local nodes.

Must not know what a provider does beyond being one.
"""

import os
import platform
from pathlib import Path

from tests.cluster import kind, packages, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.existing import ExistingCluster
from tests.cluster.interface import Cluster
from tests.cluster.kind import KindCluster
from tests.cluster.local.provider import LocalCluster

KUBECONFIG = "SLIPWAY_KUBECONFIG"


def choose() -> Cluster:
    """The first of the three ways that is open here; ClusterError names all three when none is."""
    named = os.environ.get(KUBECONFIG)
    if named:
        return ExistingCluster(Path(named).expanduser().absolute())
    if kind.engine_answers():
        return KindCluster()
    obstacles = local_obstacles()
    if obstacles:
        raise ClusterError(_no_way(obstacles))
    return LocalCluster()


def local_obstacles() -> list[str]:
    """What keeps local nodes from running on this machine, a clause each."""
    if platform.system() != "Linux":
        return [f"this is {platform.system()} and not Linux"]
    return [
        *([] if os.geteuid() == 0 else ["you are not root"]),
        *([] if packages.available() else ["apt-get, which installs containerd and runc, is missing"]),
        *([] if toolchain.go() else ["Go 1.26 or later, which builds Kubernetes, is missing"]),
    ]


def _no_way(obstacles: list[str]) -> str:
    return (
        "There is no cluster to run on. Open one of three ways:\n"
        f"  1. an existing cluster: set {KUBECONFIG} to an administrator's kubeconfig (it is not set);\n"
        "  2. kind: start a Docker engine that `docker info` reaches (none answers);\n"
        f"  3. local nodes: Debian Linux as root with Go; here {', and '.join(obstacles)}."
    )
