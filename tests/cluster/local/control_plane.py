"""etcd, the API server, the controllers, the scheduler and CoreDNS, as processes in node 1's network.

Must not know of containerd and the kubelets.
"""

from pathlib import Path

from tests.cluster import toolchain
from tests.cluster.local import configuration, network
from tests.cluster.local.layout import PODS, SERVICES, Layout
from tests.cluster.local.processes import Process, Record

BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "coredns")
_STORE = "http://127.0.0.1:2379"


def write_kubeconfigs(layout: Layout, nodes: int) -> None:
    """One kubeconfig an identity; the administrator's is the cluster's own."""
    members = [layout.node(number).name for number in range(1, nodes + 1)]
    for name in ("admin", "controller-manager", "scheduler", "proxy", *members):
        file = layout.kubeconfig if name == "admin" else layout.state / f"{name}.kubeconfig"
        file.touch(mode=0o600)
        file.write_text(_kubeconfig(layout, name))


def start_store(layout: Layout, record: Record) -> list[Process]:
    """etcd and the API server, which waits for it by itself."""
    _audit_policy(layout).write_text(configuration.audit_policy())
    return [
        _start(layout, record, "etcd", _etcd(layout)),
        _start(layout, record, "kube-apiserver", _api(layout)),
    ]


def start_controllers(layout: Layout, record: Record) -> list[Process]:
    """Everything that needs an API server that answers."""
    (layout.state / "Corefile").write_text(configuration.corefile(layout))
    return [
        _start(layout, record, "kube-controller-manager", _controllers(layout)),
        _start(layout, record, "kube-scheduler", _scheduler(layout)),
        _start(layout, record, "coredns", ["-conf", f"{layout.state}/Corefile"]),
    ]


def _start(layout: Layout, record: Record, name: str, flags: list[str]) -> Process:
    argv = network.enter(layout.node(1).namespace, [toolchain.binary(name), *flags])
    return record.spawn(name, argv, layout.logs / f"{name}.log")


def _etcd(layout: Layout) -> list[str]:
    return [
        f"--data-dir={layout.state}/etcd",
        f"--listen-client-urls={_STORE}",
        f"--advertise-client-urls={_STORE}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        # The data is thrown away with the cluster, and a slow disk must not fail a test.
        "--unsafe-no-fsync",
    ]


def _api(layout: Layout) -> list[str]:
    pki = layout.pki
    return [
        f"--etcd-servers={_STORE}",
        f"--advertise-address={layout.node(1).address}",
        f"--service-cluster-ip-range={SERVICES}",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/admin.crt",
        f"--kubelet-client-key={pki}/admin.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-accounts.pub",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--audit-policy-file={_audit_policy(layout)}",
        f"--audit-log-path={layout.audit}",
        "--allow-privileged",
    ]


def _audit_policy(layout: Layout) -> Path:
    return layout.state / "audit-policy.yaml"


def _controllers(layout: Layout) -> list[str]:
    return [
        f"--kubeconfig={layout.state}/controller-manager.kubeconfig",
        f"--service-account-private-key-file={layout.pki}/service-accounts.key",
        f"--root-ca-file={layout.pki}/ca.crt",
        f"--cluster-cidr={PODS}",
        "--use-service-account-credentials",
        "--leader-elect=false",
    ]


def _scheduler(layout: Layout) -> list[str]:
    return [f"--kubeconfig={layout.state}/scheduler.kubeconfig", "--leader-elect=false"]


def _kubeconfig(layout: Layout, name: str) -> str:
    def read(file: str) -> bytes:
        return Path(layout.pki, file).read_bytes()

    return configuration.kubeconfig(
        layout, authority=read("ca.crt"), certificate=read(f"{name}.crt"), key=read(f"{name}.key")
    )
