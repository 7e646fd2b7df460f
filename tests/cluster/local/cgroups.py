"""Control groups of the nodes, in the first version (one tree a controller), the second, and both at once.

Must not know of processes other than by id.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.local.layout import Layout, NodeLayout

_MOUNTS = Path("/proc/mounts")
_INHERITED = ("cpuset.cpus", "cpuset.mems")


def create(node: NodeLayout) -> None:
    """The group under which the node's kubelet makes those of its pods, in every tree."""
    for tree, kind in trees():
        folder = tree / node.cgroup
        if kind == "cgroup2" and tree == Path("/sys/fs/cgroup"):
            _pass_on(tree)
        folder.mkdir(exist_ok=True)
        _inherit(tree, folder)


def trees() -> list[tuple[Path, str]]:
    """Where a tree of control groups is mounted, and its type: "cgroup" or "cgroup2"."""
    entries = [line.split() for line in _MOUNTS.read_text().splitlines()]
    return [(Path(entry[1]), entry[2]) for entry in entries if entry[2] in ("cgroup", "cgroup2")]


def members(layout: Layout) -> set[int]:
    """Ids of all processes in the groups of this prefix: those of the pods."""
    return {
        int(pid)
        for group in _groups(layout)
        for folder in (group, *_below(group))
        for pid in _read(folder / "cgroup.procs").split()
    }


def remove(layout: Layout) -> None:
    """Remove the groups of this prefix once they are empty; a process that is just ending holds its group."""
    deadline = time.monotonic() + 10
    while left := [group for group in _groups(layout) if not _remove(group)]:
        if time.monotonic() > deadline:
            raise ClusterError(f"The control group {left[0]} cannot be removed: it still has processes.")
        time.sleep(0.05)


def names(layout: Layout) -> list[Path]:
    """The groups of this prefix that there are."""
    return list(_groups(layout))


def _groups(layout: Layout) -> Iterator[Path]:
    for tree, _ in trees():
        yield from (
            folder for folder in tree.iterdir() if folder.is_dir() and layout.owns_cgroup(folder.name)
        )


def _below(group: Path) -> list[Path]:
    """All groups under this one, the deepest first."""
    folders = [folder for folder in group.rglob("*") if folder.is_dir()]
    return sorted(folders, key=lambda folder: len(folder.parts), reverse=True)


def _remove(group: Path) -> bool:
    try:
        for folder in (*_below(group), group):
            folder.rmdir()
    except FileNotFoundError:
        return not group.exists()
    except OSError:
        return False
    return True


def _inherit(tree: Path, folder: Path) -> None:
    # A new cpuset of the first version is empty, and no process can enter it.
    for name in _INHERITED:
        if (tree / name).exists() and not _read(folder / name).strip():
            (folder / name).write_text(_read(tree / name))


def _pass_on(tree: Path) -> None:
    offered = _read(tree / "cgroup.controllers").split()
    try:
        (tree / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in offered))
    except OSError as refused:
        raise ClusterError(
            f"The controllers of {tree} cannot be passed on to the nodes: {refused.strerror}. "
            "A container needs a control group namespace of its own, with no process at its top."
        ) from refused


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
