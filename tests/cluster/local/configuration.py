"""The configuration files of the cluster's programs, as text.

Pure: from a layout to text, nothing is read or written here.
"""

import base64
import json

import yaml

from tests.cluster.local.layout import PODS, Layout, NodeLayout

PAUSE = "localhost/pause:1"
CNI_PLUGINS = "/usr/lib/cni"


def kubeconfig(layout: Layout, *, authority: bytes, certificate: bytes, key: bytes) -> str:
    """A kubeconfig that holds its certificates itself, so that it can be copied."""
    cluster = {"server": layout.server, "certificate-authority-data": _base64(authority)}
    user = {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": layout.prefix, "cluster": cluster}],
        "users": [{"name": layout.prefix, "user": user}],
        "contexts": [{"name": layout.prefix, "context": {"cluster": layout.prefix, "user": layout.prefix}}],
        "current-context": layout.prefix,
    }
    return yaml.safe_dump(content, sort_keys=False)


def audit_policy() -> str:
    """Only what pods write: who, what and when, not the objects themselves."""
    writes = ["create", "update", "patch", "delete", "deletecollection"]
    content = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "Metadata", "userGroups": ["system:serviceaccounts"], "verbs": writes},
            {"level": "None"},
        ],
    }
    return yaml.safe_dump(content, sort_keys=False)


def corefile(layout: Layout) -> str:
    """CoreDNS as the resolver of the pods; it knows the cluster and nothing beyond it."""
    address = layout.node(1).address
    return f"""\
.:53 {{
  bind {address}
  errors
  ready {address}:8181
  kubernetes cluster.local {{
    kubeconfig {layout.kubeconfig} {layout.prefix}
  }}
}}
"""


def network(node: NodeLayout) -> str:
    """The CNI configuration: a bridge a node, addresses from the node's own range."""
    ranges = [[{"subnet": node.pods}]]
    addresses = {
        "type": "host-local",
        "dataDir": str(node.folder / "addresses"),
        "ranges": ranges,
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "1.0.0", "name": node.cluster.prefix, "plugins": [bridge, ports]})


def containerd(node: NodeLayout) -> str:
    """containerd, all of it under the node's folder: what a dead node leaves is found by its path."""
    folder = node.folder
    return f"""\
version = 2
root = "{folder}/root"
state = "{folder}/state"

[grpc]
  address = "{node.socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # A root without CAP_SYS_RESOURCE may raise the score and never lower it.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{folder}/runc"
"""


def kubelet(node: NodeLayout) -> str:
    """The kubelet of a node that shares its machine, its disk and its memory with the others."""
    pki = node.cluster.pki
    content = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{pki}/{node.name}.crt",
        "tlsPrivateKeyFile": f"{pki}/{node.name}.key",
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        "clusterDNS": [node.cluster.node(1).address],
        "clusterDomain": "cluster.local",
        # The machine's own resolver is not for the pods: no name leaves the cluster.
        "resolvConf": "/dev/null",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        # The disk is the machine's: how full it is says nothing about this node.
        "evictionHard": {
            "imagefs.available": "0%",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "memory.available": "100Mi",
        },
        "imageGCHighThresholdPercent": 100,
        "podLogsDir": f"{node.folder}/logs",
        # A long test's log must still be whole when it is read.
        "containerLogMaxSize": "50Mi",
        "nodeStatusUpdateFrequency": "2s",
        "maxPods": 60,
    }
    return yaml.safe_dump(content, sort_keys=False)


def kube_proxy_flags(node: NodeLayout) -> list[str]:
    """kube-proxy without the conntrack settings that a namespace may not write."""
    return [
        f"--kubeconfig={node.cluster.state}/proxy.kubeconfig",
        f"--hostname-override={node.name}",
        f"--cluster-cidr={PODS}",
        "--proxy-mode=iptables",
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
    ]


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
