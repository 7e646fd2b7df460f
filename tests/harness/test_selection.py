"""The cluster comes from the first of three ways that is open, and when none is, all three are named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import paths, selection
from tests.cluster.errors import ClusterError
from tests.cluster.existing import ExistingCluster
from tests.cluster.kind import KindCluster, engine_answers
from tests.cluster.local.provider import LocalCluster


def test_a_named_kubeconfig_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_KUBECONFIG", "~/a/kubeconfig")
    chosen = selection.choose()
    assert isinstance(chosen, ExistingCluster)
    assert chosen.kubeconfig == Path.home() / "a" / "kubeconfig"


def test_without_one_a_docker_engine_is_asked_and_then_local_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_KUBECONFIG", raising=False)
    if selection.local_obstacles() and not engine_answers():
        pytest.skip("no way is open on this machine")
    assert isinstance(selection.choose(), KindCluster if engine_answers() else LocalCluster)


def test_where_no_way_is_open_all_three_are_named_with_what_they_need(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SLIPWAY_KUBECONFIG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError) as none:
        selection.choose()
    lines = str(none.value).splitlines()
    assert "SLIPWAY_KUBECONFIG" in lines[1]
    assert "Docker engine" in lines[2]
    assert "apt-get, which installs containerd and runc, is missing" in lines[3]


@pytest.mark.parametrize("command", ["up", "status"])
def test_an_expected_failure_is_a_sentence_and_no_traceback(tmp_path: Path, command: str) -> None:
    environment = os.environ | {"SLIPWAY_KUBECONFIG": str(tmp_path / "nowhere")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.cluster", command],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (f"SLIPWAY_KUBECONFIG names {tmp_path / 'nowhere'}, and there is no such file.\n")
