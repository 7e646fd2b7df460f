"""A cluster that somebody else keeps is used as it is, and stays."""

from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.existing import ExistingCluster
from tests.cluster.local.provider import LocalCluster

pytestmark = pytest.mark.cluster


@pytest.fixture
def existing(second: LocalCluster) -> ExistingCluster:
    second.up(2)
    return ExistingCluster(second.kubeconfig)


def test_it_must_have_the_nodes_that_are_needed(existing: ExistingCluster) -> None:
    existing.up(2)
    assert existing.nodes() == ["node-1", "node-2"]
    with pytest.raises(ClusterError, match=r"3 nodes are needed, and .* has 2"):
        existing.up(3)


def test_down_leaves_it_alone(existing: ExistingCluster, second: LocalCluster) -> None:
    existing.down()
    assert second.healthy(2)


def test_an_image_is_not_loaded_and_it_says_what_to_do(
    existing: ExistingCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    existing.load_image(Path("runtime.tar"), "slipway.local/runtime:1")
    assert "Push runtime.tar to a registry they know and name that in SLIPWAY_IMAGE_REGISTRY" in (
        capsys.readouterr().err
    )


def test_gpus_can_be_shown_on_its_nodes(existing: ExistingCluster) -> None:
    existing.set_gpus("node-2", 3)
    node = existing.kubectl.get("node", "node-2")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "3"
    existing.kubectl.patch(
        "node", "node-2", {"status": {"capacity": {"nvidia.com/gpu": "0"}}}, subresource="status"
    )


def test_a_program_cannot_be_put_into_its_network(existing: ExistingCluster) -> None:
    with pytest.raises(ClusterError, match="curl cannot be run in the network of node-1"):
        existing.run_in_node_network("node-1", ["curl"])
