"""A server as a group of processes on one core: started, watched, held, and ended by its id.

Knows no load.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.runtime import paths, servers
from bench.runtime.servers import Server

_PATIENCE = 90.0
_ENDING = 10.0


class ServerError(Exception):
    """A server that did not start, or ended before it was told to."""


class Running:
    """A started server. Make it with `running`."""

    def __init__(self, server: Server, bundle: Path, *, core: int | None, runtime: Path) -> None:
        self.server = server
        self.port = _free_ports()
        self._log = paths.STATE / "logs" / f"{server.name}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        self._process = self._start(bundle, core=core, runtime=runtime)
        self._sessions = {self._process.pid}  # those that its processes made; an orphan is found by them
        try:
            self._wait_for_an_answer()
        except BaseException:
            self.end()
            raise
        self.start_seconds = time.monotonic() - began

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.server.path}"

    @property
    def probes_url(self) -> str:
        """Ours only: the port of the kubelet."""
        return f"http://127.0.0.1:{self.port + 1}"

    def cpu_seconds(self) -> float:
        """Of all its living processes, since they began."""
        return sum(_cpu(pid) for pid in self._pids())

    def resident_mb(self) -> float:
        """Of all its processes; pages that they share count once for each sharer's part (PSS)."""
        return sum(_proportional_kb(pid) for pid in self._pids()) / 1000

    def hold(self) -> None:
        """Stop all of it where it is, so that it takes no time from another server's measurement."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """Told to stop, then killed; whatever it started goes with it."""
        self.go_on()
        known = self._pids()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDING)
        for pid in {*known, *self._pids()}:
            if _session(pid) in self._sessions:  # a number that was given anew is somebody else's
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def check(self) -> None:
        """Raises ServerError when it has ended."""
        if self._process.poll() is not None:
            raise self._failed(f"it ended with {self._process.returncode}")

    def _start(self, bundle: Path, *, core: int | None, runtime: Path) -> "subprocess.Popen[bytes]":
        words = [] if core is None else ["taskset", "-c", str(core)]
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [*words, *self.server.argv()],
                env=_environment(self.server, bundle, self.port, runtime),
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, which ends with it
            )

    def _wait_for_an_answer(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        body = self.server.body("is there anybody").encode()
        while time.monotonic() < deadline:
            self.check()
            with contextlib.suppress(OSError):  # urllib's errors are OSErrors
                headers = {"Content-Type": "application/json"}
                with urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=10):  # noqa: S310
                    return
            time.sleep(0.02)
        raise self._failed(f"it answered nothing within {_PATIENCE:g} s")

    def _failed(self, what: str) -> ServerError:
        last = self._log.read_text(errors="replace").splitlines()[-15:]
        return ServerError(
            "\n".join([f"{self.server.title}: {what}; its log ({self._log}) ends with:", *last])
        )

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _pids(self) -> list[int]:
        """Its living processes: its children's children too, whatever session they made for themselves."""
        parents = {pid: _parent(pid) for pid in _all_pids()}
        family = {pid for pid in parents if _session(pid) in self._sessions}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        self._sessions |= {session for pid in family if (session := _session(pid)) is not None}
        return sorted(family)


@contextlib.contextmanager
def running(
    server: Server, bundle: Path, *, core: int | None, runtime: Path | None = None
) -> Iterator[Running]:
    """A server that answers, with all its processes on `core`; ended at the end of the block.

    `runtime` is the folder of Slipway's own package. Raises ServerError.
    """
    started = Running(server, bundle, core=core, runtime=runtime or paths.ROOT / "runtime")
    try:
        yield started
    finally:
        started.end()


def _environment(server: Server, bundle: Path, port: int, runtime: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    if server.kind == servers.OURS.kind:
        return {**kept, **_ours(bundle, port, runtime), **server.environment}
    told = {"BENCH_MODEL": str(bundle), "BENCH_PORT": str(port)}
    return {**kept, **servers.for_peer(), **told, **server.environment}


def _ours(bundle: Path, port: int, runtime: Path) -> Mapping[str, str]:
    """As the operator starts it: its defaults, but for ports, folders and the source of the model."""
    return {
        "PYTHONPATH": str(runtime),
        "MODEL_URI": bundle.as_uri(),
        "MODEL_VERSION": "1",
        "SLIPWAY_HOST": "127.0.0.1",
        "SLIPWAY_HTTP_PORT": str(port),
        "SLIPWAY_PROBE_PORT": str(port + 1),
        "SLIPWAY_GRPC_PORT": str(port + 2),
        "SLIPWAY_DRAIN_QUIET_SECONDS": "0",  # nobody is sent here any more when it is told to end
        "SLIPWAY_CACHE_DIR": str(paths.STATE / "cache"),
        "SLIPWAY_TERMINATION_MESSAGE_PATH": str(paths.STATE / "logs" / "termination"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _free_ports() -> int:
    """The first of three free ports in a row (some servers want ports for gRPC and metrics too)."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = int(first.getsockname()[1])
            for offset in (1, 2):
                stack.enter_context(socket.create_server(("127.0.0.1", port + offset)))
            return port


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    except OSError:
        return None


def _cpu(pid: int) -> float:
    """CPU seconds of one process's threads, to the nanosecond; 0 when it has gone."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            total += int(task.read_text().split()[0])
    return total / 1e9


def _proportional_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
