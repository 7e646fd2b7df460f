"""Removes a local cluster, whole, half-finished or dead: by record, and by what it leaves on the machine.

Everything is found by this prefix's names and by the folder of the clone, so that no other program's
namespaces, mounts and processes are touched. Must not know how a cluster is started.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.cluster import commands
from tests.cluster.errors import ClusterError
from tests.cluster.local import cgroups, network, owner, processes
from tests.cluster.local.layout import Layout
from tests.cluster.local.processes import Process

KEPT = ("stages.jsonl", "log")
_GRACE = 3.0
_STORE = "etcd"
_SHIM_SOCKETS = Path("/run/containerd/s")
_NOTES = "node-*/state/io.containerd.runtime.v2.task/*/*/address"


def remove(layout: Layout) -> None:
    """Leave nothing of the cluster under this prefix, nor of this clone's. Safe to repeat."""
    states = _states(layout)
    recorded = _recorded(layout)
    _end_recorded(recorded)
    sockets = _end_strays(layout, states)
    _unmount(states)
    _remove_namespaces(layout)
    cgroups.remove(layout)
    for socket in sockets:
        socket.unlink(missing_ok=True)
    _remove_files(layout)
    owner.clear(layout)


def leftovers(layout: Layout) -> list[str]:
    """What there is of a cluster under this prefix, a line each; none after `remove`."""
    states = _states(layout)
    alive = {*_strays(layout, states), *(process for process in _recorded(layout) if process.alive)}
    return [
        *(f"process {process.pid} ({process.name})" for process in sorted(alive, key=lambda one: one.pid)),
        *(f"network namespace {name}" for name in _namespaces(layout)),
        *([f"link {layout.host_link}"] if _has_link(layout) else []),
        *(f"mount {place}" for place in _mounts(states)),
        *(f"control group {group}" for group in cgroups.names(layout)),
    ]


def _states(layout: Layout) -> list[Path]:
    """The state folders whose mounts are ours to remove: this clone's, and that of the recorded owner."""
    recorded = owner.read(layout)
    other = [recorded.root / ".cluster"] if recorded is not None else []
    return list(dict.fromkeys([layout.state, *other]))


def _recorded(layout: Layout) -> list[Process]:
    recorded = owner.read(layout)
    return list(dict.fromkeys([*processes.load(layout.record), *(recorded.processes if recorded else ())]))


def _end_recorded(recorded: list[Process]) -> None:
    # An API server that loses its store while it shuts down hangs for good: etcd goes last.
    processes.end([process for process in recorded if process.name != _STORE], grace=_GRACE)
    processes.end([process for process in recorded if process.name == _STORE], grace=_GRACE)


def _end_strays(layout: Layout, states: list[Path]) -> set[Path]:
    """Kill what outlived the recorded programs; returns the sockets that it leaves."""
    sockets = _shim_sockets([], states)
    # Once more until none is found: one that is being killed may have just begun another.
    while strays := _strays(layout, states):
        sockets |= _shim_sockets(strays, states)
        processes.end(strays, grace=0)
    return sockets


def _strays(layout: Layout, states: list[Path]) -> list[Process]:
    """Shims and containers, which outlive what started them, and whatever else is in the nodes' networks."""
    spaces = {_identity(network.NAMESPACES / name) for name in _namespaces(layout)} - {None}
    pods = cgroups.members(layout)
    found = []
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        ours = pid in pods or _identity(Path(f"/proc/{pid}/ns/net")) in spaces or _is_shim(pid, states)
        process = processes.observe(_title(pid), pid) if ours and pid != os.getpid() else None
        found += [process] if process is not None else []
    return found


def _identity(space: Path) -> tuple[int, int] | None:
    try:
        stat = space.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _is_shim(pid: int, states: list[Path]) -> bool:
    words = _command(pid)
    if not words or not Path(words[0]).name.startswith("containerd-shim"):
        return False
    return any(Path(word).is_relative_to(state) for word in words for state in states)


def _title(pid: int) -> str:
    words = _command(pid)
    return Path(words[0]).name if words else str(pid)


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _shim_sockets(strays: list[Process], states: list[Path]) -> set[Path]:
    """Shims listen in a folder that all containerds share: a living one is asked, a dead one left a note."""
    notes = [note for state in states for note in state.glob(_NOTES)]
    named = {Path(note.read_text().removeprefix("unix://")) for note in notes}
    shims = (process for process in strays if _is_shim(process.pid, states))
    return named.union(*(_listening(process.pid) for process in shims))


def _listening(pid: int) -> set[Path]:
    """The shims' sockets of one node: those that are bound in the network of the process."""
    try:
        lines = Path(f"/proc/{pid}/net/unix").read_text().splitlines()
    except OSError:
        return set()
    bound = (Path(line.split(maxsplit=7)[7]) for line in lines[1:] if len(line.split()) > 7)
    return {file for file in bound if file.parent == _SHIM_SOCKETS}


def _unmount(states: list[Path]) -> None:
    for _ in range(5):
        places = _mounts(states)
        if not places:
            return
        for place in places:
            # Lazily: what a process still holds goes with the process.
            commands.attempt(["umount", "--lazy", place])
    raise ClusterError(f"{_mounts(states)[0]} cannot be unmounted.")


def _mounts(states: list[Path]) -> list[str]:
    """Mounts under the state folders, the latest first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    places = [_unescape(line.split()[4]) for line in reversed(lines)]
    return [place for place in places if _under(place, states)]


def _under(place: str, states: Iterable[Path]) -> bool:
    return any(place.startswith(f"{state}/") for state in states)


def _unescape(place: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        place = place.replace(code, sign)
    return place.removesuffix("//deleted")


def _remove_namespaces(layout: Layout) -> None:
    if _has_link(layout):
        commands.run(["ip", "link", "delete", layout.host_link])
    for name in _namespaces(layout):
        commands.run(["ip", "netns", "delete", name])


def _namespaces(layout: Layout) -> list[str]:
    if not network.NAMESPACES.is_dir():
        return []
    return sorted(file.name for file in network.NAMESPACES.iterdir() if layout.owns_namespace(file.name))


def _has_link(layout: Layout) -> bool:
    return Path("/sys/class/net", layout.host_link).exists()


def _remove_files(layout: Layout) -> None:
    if not layout.state.is_dir():
        return
    for entry in layout.state.iterdir():
        if entry.name in KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
