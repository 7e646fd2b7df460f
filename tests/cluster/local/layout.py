"""Names, addresses and folders of one local cluster.

Only values: nothing here looks at the machine. A cluster under another prefix and subnet meets none of the
names of the first, so that tests of the harness can run beside a live cluster.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import paths
from tests.cluster.errors import ClusterError

SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
_LONGEST_SOCKET = "kubelet/device-plugins/kubelet.sock"
_SOCKET_LIMIT = 107


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One cluster of the clone at `root`. `subnet` is the first three numbers of the nodes' /24."""

    root: Path = paths.ROOT
    prefix: str = "slipway"
    host_link: str = "sw-host"
    subnet: str = "192.168.211"
    run: Path = Path("/run")

    @property
    def state(self) -> Path:
        return self.root / ".cluster"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def audit(self) -> Path:
        """Every write of a pod's, by its service account, in the API server's words: a JSON object a line."""
        return self.logs / "audit.jsonl"

    @property
    def record(self) -> Path:
        """This clone's own list of the processes it started."""
        return self.state / "processes.json"

    @property
    def owner(self) -> Path:
        """The machine's record of whose cluster stands under this prefix."""
        return self.run / f"{self.prefix}-cluster.json"

    @property
    def lock(self) -> Path:
        return self.run / f"{self.prefix}-cluster.lock"

    @property
    def switch(self) -> str:
        """The namespace of the bridge between the nodes."""
        return f"{self.prefix}-lan"

    @property
    def host_address(self) -> str:
        return f"{self.subnet}.1"

    @property
    def server(self) -> str:
        """The API server, as all nodes and the host reach it."""
        return f"https://{self.node(1).address}:6443"

    def node(self, number: int) -> "NodeLayout":
        return NodeLayout(cluster=self, number=number)

    def owns_namespace(self, name: str) -> bool:
        """Whether a network namespace of that name belongs to this prefix, and not to a longer one."""
        return re.fullmatch(rf"{re.escape(self.prefix)}-(lan|node-\d+)", name) is not None

    def owns_cgroup(self, name: str) -> bool:
        return re.fullmatch(rf"{re.escape(self.prefix)}-node-\d+", name) is not None

    def check(self) -> None:
        """ClusterError when the clone lies so deep that its sockets' paths do not fit the kernel's limit."""
        longest = len(str(self.node(1).folder / _LONGEST_SOCKET))
        if longest > _SOCKET_LIMIT:
            raise ClusterError(
                f"The path of this clone, {self.root}, is {longest - _SOCKET_LIMIT} characters too long for "
                "the sockets of its nodes. Move the clone to a shorter path."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLayout:
    """One node of it; numbers begin at 1, and the control plane runs on node 1."""

    cluster: Layout
    number: int

    @property
    def name(self) -> str:
        return f"node-{self.number}"

    @property
    def folder(self) -> Path:
        return self.cluster.state / self.name

    @property
    def namespace(self) -> str:
        return f"{self.cluster.prefix}-{self.name}"

    @property
    def cgroup(self) -> str:
        return f"{self.cluster.prefix}-{self.name}"

    @property
    def address(self) -> str:
        return f"{self.cluster.subnet}.{self.number + 1}"

    @property
    def pods(self) -> str:
        return f"10.244.{self.number}.0/24"

    @property
    def socket(self) -> Path:
        return self.folder / "containerd.sock"
