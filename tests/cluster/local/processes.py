"""Processes by id and start time, so that a recycled id is never taken for the one that was started.

Must not know what the processes do.
"""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.cluster.errors import ClusterError

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Process:
    """One process for all time: `started` is in clock ticks since the boot `boot`."""

    name: str
    pid: int
    started: int
    boot: str

    @property
    def alive(self) -> bool:
        return observe(self.name, self.pid) == self


def observe(name: str, pid: int) -> Process | None:
    """The process that has this id now; None when there is none, or only its exit status is left."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold spaces and brackets itself.
    fields = stat.rpartition(")")[2].split()
    state, started = fields[0], int(fields[19])
    if state in "ZX":
        _reap(pid)
        return None
    return Process(name, pid, started, _BOOT.read_text().strip())


def spawn(name: str, argv: Sequence[str | Path], log: Path) -> Process:
    """Start a program that outlives this one, in a session of its own, its output appended to `log`."""
    words = [str(word) for word in argv]
    log.parent.mkdir(parents=True, exist_ok=True)
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawnp(words[0], words, _environment(), file_actions=files, setsid=True)
    process = observe(name, pid)
    if process is None:
        raise ClusterError(f"{name} ended as soon as it was started; its log: {log}")
    return process


def _environment() -> dict[str, str]:
    # Nothing else of the caller's: a proxy meant for the internet must not stand between the nodes.
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **kept}


def end(processes: Iterable[Process], *, grace: float) -> None:
    """SIGTERM to each, SIGKILL to those that are left after `grace` seconds; returns when all are gone."""
    running = [process for process in processes if process.alive]
    if grace > 0:
        _signal_all(running, signal.SIGTERM)
        running = _left_after(running, grace)
    _signal_all(running, signal.SIGKILL)
    left = _left_after(running, 10)
    if left:
        names = ", ".join(f"{process.name} ({process.pid})" for process in left)
        raise ClusterError(f"These processes do not end, not even when killed: {names}.")


def _signal_all(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        _signal(process, number)


def _signal(process: Process, number: signal.Signals) -> None:
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        # Looked at once more while the handle pins the id: from here on it cannot be another process.
        if process.alive:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)


def _left_after(processes: list[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    left = processes
    while (left := [process for process in left if process.alive]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):  # somebody else's child: its parent reaps it
        os.waitpid(pid, os.WNOHANG)


@dataclass(slots=True)
class Record:
    """The processes that were started, in files that outlive this program."""

    write: Callable[[list[Process]], None]
    processes: list[Process] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spawn(self, name: str, argv: Sequence[str | Path], log: Path) -> Process:
        with self._lock:
            process = spawn(name, argv, log)
            self.processes.append(process)
            self.write(self.processes)
        return process


def load(file: Path) -> list[Process]:
    """The processes of a record; none when there is no record, or a torn one."""
    try:
        return parse(json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return []


def parse(entries: object) -> list[Process]:
    """Processes from their JSON form; TypeError when it is not one."""
    if not isinstance(entries, list):
        raise TypeError("a list of processes was expected")
    return [Process(**entry) for entry in entries]


def dump(processes: Iterable[Process]) -> list[dict[str, object]]:
    """The JSON form of processes."""
    return [asdict(process) for process in processes]


def save(file: Path, content: object) -> None:
    """Replace a JSON file as a whole, so that a reader never meets half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f"{file.name}.new")
    half.write_text(json.dumps(content, indent=1) + "\n")
    half.rename(file)
