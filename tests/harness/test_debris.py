"""What a dead cluster left on the machine, the next `up` or `down` removes, and nothing else."""

import dataclasses
import fcntl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import commands
from tests.cluster.errors import ClusterError
from tests.cluster.local import cgroups, network, owner, processes, teardown
from tests.cluster.local.layout import Layout
from tests.cluster.local.processes import Process
from tests.cluster.local.provider import LocalCluster


@pytest.fixture
def sleeper() -> Iterator[Process]:
    with subprocess.Popen(["sleep", "300"]) as child:
        process = processes.observe("sleep", child.pid)
        assert process is not None
        yield process
        child.kill()


def test_down_removes_all_that_a_dead_cluster_left(dust: Layout) -> None:
    _leave_debris(dust)
    stray = _stray_in_node(dust)
    owner.write(dust, [_dead()])
    assert {line.split()[0] for line in teardown.leftovers(dust)} == {
        "process",
        "network",
        "link",
        "mount",
        "control",
    }

    LocalCluster(dust).down()

    assert teardown.leftovers(dust) == []
    assert not stray.alive
    assert not dust.owner.exists()
    assert {entry.name for entry in dust.state.iterdir()} <= set(teardown.KEPT)


def test_debris_of_another_clone_is_removed_too(dust: Layout, tmp_path: Path) -> None:
    another = dataclasses.replace(dust, root=tmp_path)
    _leave_debris(another)
    owner.write(another, [_dead()])

    LocalCluster(dust).down()

    assert teardown.leftovers(another) == []
    assert not dust.owner.exists()


def test_half_a_cluster_without_any_record_is_removed(dust: Layout) -> None:
    _leave_debris(dust)
    assert not dust.record.exists()

    LocalCluster(dust).down()

    assert teardown.leftovers(dust) == []


def test_down_where_there_is_nothing_does_nothing(dust: Layout) -> None:
    LocalCluster(dust).down()
    LocalCluster(dust).down()
    assert LocalCluster(dust).status() == "no local nodes are up"


@pytest.mark.parametrize("verb", ["up", "down", "status"])
def test_the_live_cluster_of_another_clone_is_refused_by_its_path(
    dust: Layout, sleeper: Process, tmp_path: Path, verb: str
) -> None:
    another = dataclasses.replace(dust, root=tmp_path)
    _leave_debris(another)
    owner.write(another, [_dead(), sleeper])
    before = teardown.leftovers(another)

    with pytest.raises(
        ClusterError, match=f"The clone at {tmp_path} has a live cluster; run `make down` there"
    ):
        getattr(LocalCluster(dust), verb)()

    assert teardown.leftovers(another) == before
    assert sleeper.alive
    dust.owner.unlink()
    teardown.remove(another)


def test_a_recycled_process_id_is_neither_live_nor_killed(dust: Layout, sleeper: Process) -> None:
    recycled = dataclasses.replace(sleeper, started=sleeper.started - 1)
    earlier_boot = dataclasses.replace(sleeper, boot="another boot")
    owner.write(dust, [recycled, earlier_boot])
    recorded = owner.read(dust)
    assert recorded is not None
    assert not recorded.live

    LocalCluster(dust).down()

    assert sleeper.alive


def test_what_only_looks_like_ours_stays(dust: Layout, tmp_path: Path) -> None:
    neighbour = dataclasses.replace(dust, prefix=f"{dust.prefix}-two", host_link="swdust2", root=tmp_path)
    _leave_debris(neighbour)
    before = teardown.leftovers(neighbour)

    LocalCluster(dust).down()

    assert teardown.leftovers(neighbour) == before
    teardown.remove(neighbour)


def test_a_torn_record_counts_as_none(dust: Layout) -> None:
    dust.owner.write_text('{"root": "/somewhere", "proc')
    dust.state.mkdir()
    dust.record.write_text("[{")

    LocalCluster(dust).down()

    assert not dust.owner.exists()


def test_a_second_run_waits_for_the_first_and_says_for_whom(
    dust: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    with dust.lock.open("w") as other:
        other.write("process 1 of the clone at /somewhere")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ClusterError, match="does not come to its end"), owner.alone(dust, patience=0.3):
            pytest.fail("two runs at once")
    assert "wait for process 1 of the clone at /somewhere" in capsys.readouterr().err
    with owner.alone(dust, patience=0):
        assert str(dust.root) in dust.lock.read_text()


def _leave_debris(layout: Layout) -> None:
    network.create(layout, 2)
    cgroups.create(layout.node(1))
    mounted = layout.node(1).folder / "kubelet" / "a volume"
    mounted.mkdir(parents=True)
    commands.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mounted])
    commands.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mounted])


def _stray_in_node(layout: Layout) -> Process:
    argv = network.enter(layout.node(1).namespace, ["sleep", "300"])
    return processes.spawn("stray", argv, layout.logs / "stray.log")


def _dead() -> Process:
    with subprocess.Popen(["sleep", "300"]) as child:
        process = processes.observe("dead", child.pid)
        child.kill()
    assert process is not None
    return process
