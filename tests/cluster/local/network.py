"""Network namespaces: one a node and one for the switch between them.

The switch has a namespace of its own because a bridge on the host stops carrying frames as soon as a Docker
engine has set the host's forward policy. Nothing that a node sends leaves the machine: its default route ends
in a bridge without members. Must not know what runs in the namespaces.
"""

from collections.abc import Sequence
from pathlib import Path

from tests.cluster import commands
from tests.cluster.errors import ClusterError
from tests.cluster.local.layout import Layout, NodeLayout

NAMESPACES = Path("/run/netns")
_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def create(layout: Layout, nodes: int) -> None:
    """The switch, the host's link to it (so that the host reaches the nodes), and a namespace a node."""
    _need_bridge_filter()
    numbers = range(1, nodes + 1)
    _ip(_switch(layout))
    for number in numbers:
        _ip(_node(layout.node(number), [layout.node(other) for other in numbers if other != number]))
        _forward(layout.node(number))


def enter(namespace: str, argv: Sequence[str | Path]) -> list[str | Path]:
    """The command line that runs `argv` in a namespace.

    nsenter and not `ip netns exec`: that one mounts a new /sys, which hides the cgroups from the kubelet.
    """
    return ["nsenter", f"--net={NAMESPACES / namespace}", "--wd=/", *argv]


def _switch(layout: Layout) -> list[str]:
    lan, link = layout.switch, layout.host_link
    return [
        f"netns add {lan}",
        f"-n {lan} link add br0 type bridge",
        f"-n {lan} link set br0 up",
        f"link add {link} type veth peer name host netns {lan}",
        f"-n {lan} link set host master br0 up",
        f"addr add {layout.host_address}/24 dev {link}",
        f"link set {link} up",
    ]


def _node(node: NodeLayout, others: list[NodeLayout]) -> list[str]:
    space, lan, port = node.namespace, node.cluster.switch, f"n{node.number}"
    return [
        f"netns add {space}",
        f"-n {lan} link add {port} type veth peer name eth0 netns {space}",
        f"-n {lan} link set {port} master br0 up",
        f"-n {space} link set lo up",
        f"-n {space} addr add {node.address}/24 dev eth0",
        f"-n {space} link set eth0 up",
        f"-n {space} link add nowhere type bridge",
        f"-n {space} addr add 192.0.2.1/30 dev nowhere",
        f"-n {space} link set nowhere up",
        f"-n {space} route add default dev nowhere",
        *(f"-n {space} route add {other.pods} via {other.address}" for other in others),
    ]


def _ip(lines: list[str]) -> None:
    for line in lines:
        commands.run(["ip", *line.split()])


def _forward(node: NodeLayout) -> None:
    # The answer of a neighbour behind a Service must come by way of conntrack, not by the bridge alone.
    settings = ["net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"]
    commands.run(enter(node.namespace, ["sysctl", "-qw", *settings]))


def _need_bridge_filter() -> None:
    if not _BRIDGE_FILTER.exists():
        commands.attempt(["modprobe", "br_netfilter"])
    if not _BRIDGE_FILTER.exists():
        raise ClusterError("The kernel has no br_netfilter, without which Services do not work between pods.")
