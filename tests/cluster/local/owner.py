"""Whose cluster stands on this machine: one record and one lock for all clones.

Must not know how a cluster is made or removed.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.local import processes
from tests.cluster.local.layout import Layout
from tests.cluster.local.processes import Process
from tests.cluster.stages import stage


class OtherCloneError(ClusterError):
    """Another clone's cluster is live; this one keeps its hands off it."""

    def __init__(self, root: Path) -> None:
        super().__init__(f"The clone at {root} has a live cluster; run `make down` there.")
        self.root = root


@dataclass(frozen=True, slots=True)
class Owner:
    """The clone that made the cluster, and the processes of it."""

    root: Path
    processes: tuple[Process, ...]

    @property
    def live(self) -> bool:
        return any(process.alive for process in self.processes)


def read(layout: Layout) -> Owner | None:
    """The machine's record, or None when there is none (or an unreadable one, which says nothing)."""
    try:
        record = json.loads(layout.owner.read_text())
        return Owner(Path(record["root"]), tuple(processes.parse(record["processes"])))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(layout: Layout, started: list[Process]) -> None:
    """Record the processes of this clone's cluster, for the clone and for the machine."""
    content = processes.dump(started)
    processes.save(layout.record, content)
    processes.save(layout.owner, {"root": str(layout.root), "processes": content})


def clear(layout: Layout) -> None:
    """Forget whose cluster it was, once nothing of it is left."""
    layout.record.unlink(missing_ok=True)
    layout.owner.unlink(missing_ok=True)


def refuse_another(layout: Layout) -> None:
    """OtherCloneError when the live cluster on this machine is not this clone's."""
    owner = read(layout)
    if owner is not None and owner.root != layout.root and owner.live:
        raise OtherCloneError(owner.root)


@contextmanager
def alone(layout: Layout, *, patience: float = 300) -> Iterator[None]:
    """One `up` or `down` at a time on this machine; waits for the other one, at most `patience` seconds."""
    with layout.lock.open("a+") as handle:
        if not _try(handle.fileno()):
            handle.seek(0)
            with stage(f"wait for {handle.read().strip() or 'another run'}"):
                _wait(handle.fileno(), patience)
        handle.seek(0)
        handle.truncate()
        handle.write(f"process {os.getpid()} of the clone at {layout.root}")
        handle.flush()
        yield


def _wait(handle: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while not _try(handle):
        if time.monotonic() > deadline:
            raise ClusterError(
                "Another run works on the cluster of this machine and does not come to its end."
            )
        time.sleep(0.2)


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
