"""GPUs to schedule on, without a device behind them: numbers in the node's status.

Must not know which provider the node comes from.
"""

import time

from tests.cluster.errors import ClusterError
from tests.cluster.interface import GPU
from tests.cluster.kubectl import Kubectl


def advertise(kubectl: Kubectl, node: str, count: int) -> None:
    """Give the node that many `nvidia.com/gpu` and wait until pods can be scheduled on them."""
    amount = {GPU: str(count)}
    kubectl.patch("node", node, {"status": {"capacity": amount, "allocatable": amount}}, subresource="status")
    deadline = time.monotonic() + 30
    while (seen := allocatable(kubectl, node)) != count:
        if time.monotonic() > deadline:
            raise ClusterError(f"{node} shows {seen} of {count} {GPU} as allocatable after 30 s.")
        time.sleep(0.2)


def allocatable(kubectl: Kubectl, node: str) -> int:
    """How many `nvidia.com/gpu` pods can be scheduled on."""
    return int(kubectl.get("node", node)["status"]["allocatable"].get(GPU, "0"))
