"""What a layout is called and what its programs are told, without a machine."""

import base64
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cluster.errors import ClusterError
from tests.cluster.local import configuration
from tests.cluster.local.layout import Layout

LAYOUT = Layout(root=Path("/clone"))
NODE = LAYOUT.node(2)


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        pytest.param("slipway-lan", "ours", id="the switch"),
        pytest.param("slipway-node-1", "ours", id="a node"),
        pytest.param("slipway-node-12", "ours", id="a node with a long number"),
        pytest.param("slipway-node-", "foreign", id="no number"),
        pytest.param("slipway-two-node-1", "foreign", id="a longer prefix"),
        pytest.param("my-slipway-node-1", "foreign", id="a longer beginning"),
        pytest.param("cni-2f0c", "foreign", id="another program's pod"),
    ],
)
def test_a_namespace_is_ours_by_its_whole_name(name: str, whose: str) -> None:
    assert LAYOUT.owns_namespace(name) == (whose == "ours")


@settings(deadline=None)  # other work shares the processor
@given(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), st.integers(1, 3))
def test_a_cluster_owns_the_names_of_its_own_nodes(prefix: str, number: int) -> None:
    layout = Layout(root=Path("/clone"), prefix=prefix)
    assert layout.owns_namespace(layout.switch)
    assert layout.owns_namespace(layout.node(number).namespace)
    assert layout.owns_cgroup(layout.node(number).cgroup)


def test_nodes_have_addresses_of_their_own_in_the_clusters_range() -> None:
    assert [LAYOUT.node(number).address for number in (1, 2, 3)] == [
        "192.168.211.2",
        "192.168.211.3",
        "192.168.211.4",
    ]
    assert NODE.pods == "10.244.2.0/24"


def test_a_clone_that_lies_too_deep_is_told_by_how_much() -> None:
    Layout(root=Path("/" + "a" * 40)).check()
    with pytest.raises(ClusterError, match="is 50 characters too long"):
        Layout(root=Path("/" + "a" * (_longest_root() + 49))).check()


def test_what_pods_write_is_noted_and_nothing_else() -> None:
    policy = yaml.safe_load(configuration.audit_policy())
    noted = [rule for rule in policy["rules"] if rule["level"] != "None"]
    assert [rule["userGroups"] for rule in noted] == [["system:serviceaccounts"]]
    assert not {"get", "list", "watch"} & set(noted[0]["verbs"])
    assert policy["rules"][-1] == {"level": "None"}


def test_a_kubeconfig_can_be_copied_since_it_holds_its_certificates() -> None:
    text = configuration.kubeconfig(LAYOUT, authority=b"CA", certificate=b"CERT", key=b"KEY")
    parsed = yaml.safe_load(text)
    assert parsed["current-context"] == parsed["contexts"][0]["name"] == "slipway"
    assert parsed["clusters"][0]["cluster"]["server"] == "https://192.168.211.2:6443"
    user = parsed["users"][0]["user"]
    assert base64.b64decode(user["client-certificate-data"]) == b"CERT"
    assert base64.b64decode(user["client-key-data"]) == b"KEY"


def test_each_node_has_its_own_control_group_and_folders() -> None:
    kubelet = yaml.safe_load(configuration.kubelet(NODE))
    assert kubelet["cgroupRoot"] == "/slipway-node-2"
    assert kubelet["podLogsDir"].startswith("/clone/.cluster/node-2/")
    assert kubelet["containerRuntimeEndpoint"] == "unix:///clone/.cluster/node-2/containerd.sock"


def test_pods_ask_the_resolver_of_node_1_and_no_other() -> None:
    kubelet = yaml.safe_load(configuration.kubelet(NODE))
    assert (kubelet["clusterDNS"], kubelet["resolvConf"]) == (["192.168.211.2"], "/dev/null")
    assert ".:53 {\n  bind 192.168.211.2\n" in configuration.corefile(LAYOUT)


def test_a_pods_log_is_not_rotated_away_during_a_test() -> None:
    assert yaml.safe_load(configuration.kubelet(NODE))["containerLogMaxSize"] == "50Mi"


def test_containerd_keeps_everything_under_the_nodes_folder() -> None:
    text = configuration.containerd(NODE)
    assert text.count('"/clone/.cluster/node-2/') == 5
    assert "netns_mounts_under_state_dir = true" in text


def _longest_root() -> int:
    return 107 - len("/.cluster/node-1/kubelet/device-plugins/kubelet.sock")
