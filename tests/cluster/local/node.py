"""One node: containerd, the kubelet and kube-proxy in the node's network, and the images in it.

Must not know of the control plane's programs.
"""

import fcntl
from pathlib import Path

from tests.cluster import commands, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.local import cgroups, configuration, network, pause
from tests.cluster.local.layout import NodeLayout
from tests.cluster.local.processes import Process, Record
from tests.cluster.local.waiting import until

BINARIES = ("kubelet", "kube-proxy")


def start_runtime(node: NodeLayout, record: Record) -> list[Process]:
    """containerd, with the pause image in it; needs no API server."""
    cgroups.create(node)
    _write(node)
    runtime = _start(node, record, "containerd", ["containerd", f"--config={node.folder}/containerd.toml"])
    until(lambda: _answers(node), 30, f"containerd of {node.name} answers", [runtime], node.cluster.logs)
    load(node, pause.image(), configuration.PAUSE)
    return [runtime]


def start_agents(node: NodeLayout, record: Record) -> list[Process]:
    """The kubelet and kube-proxy; they want an API server that answers."""
    proxy = configuration.kube_proxy_flags(node)
    return [
        _start(node, record, "kubelet", [toolchain.binary("kubelet"), *_kubelet_flags(node)]),
        _start(node, record, "kube-proxy", [toolchain.binary("kube-proxy"), *proxy]),
    ]


def load(node: NodeLayout, archive: Path, reference: str) -> bool:
    """Import an image unless the node has one of that name; says whether it did."""
    with (node.folder / "import.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # two imports of one image would each unpack it
        if reference in images(node):
            return False
        _ctr(node, "images", "import", str(archive), timeout=600)
        if reference not in images(node):
            raise ClusterError(
                f"{archive} was loaded into {node.name}, but there is no image {reference} in it."
            )
        # A pod that comes before the kubelet's side of containerd knows the image would try to pull it.
        what = f"{node.name} knows the image {reference}"
        until(lambda: _known_to_kubelet(node, reference), 30, what, [], node.cluster.logs)
    return True


def images(node: NodeLayout) -> set[str]:
    """Names of the images in the node."""
    return set(_ctr(node, "images", "ls", "-q").split())


def _known_to_kubelet(node: NodeLayout, reference: str) -> bool:
    return "io.cri-containerd.image=managed" in _ctr(node, "images", "ls", f"name=={reference}")


def _kubelet_flags(node: NodeLayout) -> list[str]:
    return [
        f"--config={node.folder}/kubelet.yaml",
        f"--kubeconfig={node.cluster.state}/{node.name}.kubeconfig",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
        f"--root-dir={node.folder}/kubelet",
    ]


def _write(node: NodeLayout) -> None:
    (node.folder / "cni").mkdir(parents=True)
    (node.folder / "cni" / "10-bridge.conflist").write_text(configuration.network(node))
    (node.folder / "containerd.toml").write_text(configuration.containerd(node))
    (node.folder / "kubelet.yaml").write_text(configuration.kubelet(node))


def _start(node: NodeLayout, record: Record, name: str, argv: list[str | Path]) -> Process:
    title = f"{node.name}-{name}"
    return record.spawn(title, network.enter(node.namespace, argv), node.cluster.logs / f"{title}.log")


def _answers(node: NodeLayout) -> bool:
    return node.socket.exists() and commands.attempt(_ctr_argv(node, "version")).returncode == 0


def _ctr(node: NodeLayout, *arguments: str, timeout: float = 60) -> str:
    return commands.run(_ctr_argv(node, *arguments), timeout=timeout)


def _ctr_argv(node: NodeLayout, *arguments: str) -> list[str]:
    return ["ctr", "--address", str(node.socket), "--namespace", "k8s.io", *arguments]
