"""Clusters of the harness's own, under other names than the one that the other tests may be running on."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import selection, stages
from tests.cluster.local import teardown
from tests.cluster.local.layout import Layout
from tests.cluster.local.provider import LocalCluster


def needs_local_nodes() -> None:
    obstacles = selection.local_obstacles()
    if obstacles:
        pytest.skip(f"local nodes cannot run here: {', '.join(obstacles)}")


@pytest.fixture(autouse=True)
def _own_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """These tests' stages are none of the clone's: its log says what a person waited for."""
    monkeypatch.setattr(stages, "LOG", tmp_path / "stages.jsonl")


@pytest.fixture
def dust() -> Iterator[Layout]:
    """A layout on which no cluster runs; whatever a test leaves under it is removed."""
    needs_local_nodes()
    with tempfile.TemporaryDirectory(prefix="slipway-dust-") as root:
        layout = Layout(root=Path(root), prefix="swdust", host_link="swdust-host", subnet="192.168.214")
        yield layout
        layout.owner.unlink(missing_ok=True)
        teardown.remove(layout)
        layout.lock.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def second() -> Iterator[LocalCluster]:
    """A live cluster of two nodes beside the one that the other tests use."""
    needs_local_nodes()
    root = Path(tempfile.mkdtemp(prefix="slipway-second-"))
    layout = Layout(root=root, prefix="swtest", host_link="swtest-host", subnet="192.168.213")
    cluster = LocalCluster(layout)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "LOG", root / "stages.jsonl")
        cluster.up(2)
    yield cluster
    cluster.down()
    shutil.rmtree(root)
    layout.lock.unlink(missing_ok=True)
