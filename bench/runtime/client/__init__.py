"""The load generator: a small Go program, built into the cache, and its answer as a value.

Knows no server.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.runtime import paths
from tests.cluster import toolchain

_SOURCES = Path(__file__).parent


class ClientError(Exception):
    """The client could not be built, or did not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `connections` clients for `seconds`, each waiting for its answer.

    With `rate` they do not wait; with `count` each sends so many and ends; with `answers` all end when so
    many have come after the warm-up, if that is before the time is up.
    """

    connections: int
    seconds: float
    warm_up: float = 0.0
    rate: float = 0.0
    count: int = 0
    answers: int = 0
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Answers of one status: how many, and their latencies in milliseconds."""

    count: int
    mean: float
    p50: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a load."""

    seconds: float
    statuses: Mapping[int, Latency]
    errors: Mapping[str, int]

    @property
    def rate(self) -> float:
        """Answers with 200 a second."""
        return self.statuses[200].count / self.seconds if 200 in self.statuses else 0.0

    @property
    def failed(self) -> int:
        others = sum(group.count for status, group in self.statuses.items() if status != 200)
        return others + sum(self.errors.values())


def binary() -> Path:
    """The program, built first when this version of it is missing (seconds). Raises ClientError."""
    sources = sorted([*_SOURCES.glob("*.go"), _SOURCES / "go.mod"])
    key = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:10]
    built = paths.cache() / "bin" / f"bench-client-{key}"
    if not built.exists():
        _build(built)
    return built


def send(url: str, bodies: Path, load: Load, *, core: int | None) -> Outcome:
    """Run one load to its end, on `core`. Raises ClientError when it does not end."""
    with start(url, bodies, load, core=core) as program:
        try:
            return parse(program.communicate(timeout=_bound(load))[0])
        except BaseException:  # who stops the measurement means this too
            program.kill()
            raise


def start(url: str, bodies: Path, load: Load, *, core: int | None) -> "subprocess.Popen[str]":
    """Begin a load, whose standard output is for `parse`."""
    words = [] if core is None else ["taskset", "-c", str(core)]
    argv = [*words, str(binary()), "-url", url, "-bodies", str(bodies), *_flags(load)]
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, env=os.environ | {"GOMAXPROCS": "1", "GOGC": "400"}
    )


def parse(output: str) -> Outcome:
    """What the program printed. Raises ClientError when it printed nothing of use."""
    try:
        found = json.loads(output)
    except ValueError as error:
        raise ClientError("the load generator ended without a result: see its error above") from error
    statuses = {int(status): Latency(**group) for status, group in found["statuses"].items()}
    return Outcome(seconds=found["seconds"], statuses=statuses, errors=found["errors"])


def _flags(load: Load) -> Sequence[str]:
    return [
        *("-connections", str(load.connections), "-count", str(load.count), "-rate", str(load.rate)),
        *("-answers", str(load.answers)),
        *("-warm-up", f"{load.warm_up}s", "-duration", f"{load.seconds}s", "-timeout", f"{load.timeout}s"),
    ]


def _bound(load: Load) -> float:
    return load.warm_up + load.seconds + load.timeout + 10


def _build(built: Path) -> None:
    go = toolchain.go()
    if go is None:
        raise ClientError("Go is not installed: it builds the load generator")
    built.parent.mkdir(parents=True, exist_ok=True)
    cache = paths.cache() / "go"
    with tempfile.TemporaryDirectory(dir=built.parent) as folder:
        output = Path(folder) / "client"
        done = subprocess.run(
            [go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(output), "."],
            cwd=_SOURCES,
            env=os.environ
            | {"CGO_ENABLED": "0", "GOMODCACHE": str(cache / "mod"), "GOCACHE": str(cache / "build")},
            capture_output=True,
            text=True,
            timeout=600,
        )
        if done.returncode != 0:
            raise ClientError(f"Go could not build the load generator: {done.stderr}")
        output.rename(built)
