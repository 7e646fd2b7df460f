"""`python -m tests.soak.drains`: a hundred thousand requests over HTTP and gRPC while one process after
another drains and leaves.

What a rollout does to its clients, without the cluster: new connections go to the new process, and the old
one gets SIGTERM in that moment. Needs no cluster. The figures are left in .cluster/drains.json. The exit
status: 0 passed, 1 not passed, and why.
"""

import contextlib
import itertools
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from tests.cluster import paths
from tests.runtime import bundles, clients, forwarder, grpc_clients, processes
from tests.runtime.clients import Client, Ledger
from tests.runtime.processes import RuntimeProcess

RESULT = paths.STATE / "drains.json"

REQUESTS = 100_000
LEAST_DRAINS = 8
_LONGEST_SECONDS = 900.0
_SERVES_SECONDS = 3.0  # before the next one takes over

_HTTP: tuple[Client, ...] = (
    *[clients.keep_alive(0.002)] * 4,
    *[clients.keep_alive(0.7)] * 4,
    clients.pool,
    clients.new_connections,
    clients.slow_upload,
)
_GRPC: tuple[Client, ...] = (
    *[grpc_clients.keep_alive(0.002)] * 4,
    *[grpc_clients.keep_alive(0.7)] * 4,
    grpc_clients.new_channels(0.05),
)
_ENVIRONMENT = {
    "SLIPWAY_CONNECTION_MAX_AGE_SECONDS": "3",
    "SLIPWAY_DRAIN_QUIET_SECONDS": "1",
    "SLIPWAY_DRAIN_TIMEOUT_SECONDS": "30",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted."""

    http: int
    grpc: int
    failures: list[str]
    drains: int
    exit_codes: list[int]
    seconds: float

    def shortcomings(self) -> list[str]:
        """Why this is not a pass."""
        requests, failed = self.http + self.grpc, len(self.failures)
        return [
            text
            for text, wrong in (
                (f"{failed} requests failed, the first: {self.failures[:3]}", failed > 0),
                (f"{requests:,} requests are fewer than {REQUESTS:,}", requests < REQUESTS),
                (f"{self.drains} drains are fewer than {LEAST_DRAINS}", self.drains < LEAST_DRAINS),
                (f"not every process ended well: {self.exit_codes}", any(self.exit_codes)),
            )
            if wrong
        ]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        figures = _measure(pathlib.Path(folder))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(asdict(figures), indent=1) + "\n")
    print(
        f"{figures.http:,} requests over HTTP and {figures.grpc:,} over gRPC, "
        f"{len(figures.failures)} failed; {figures.drains} drains; {figures.seconds:.0f} s"
    )
    for shortcoming in figures.shortcomings():
        print(f"! {shortcoming}")
    return 1 if figures.shortcomings() else 0


def _measure(folder: pathlib.Path) -> Figures:
    bundles.write(folder / "bundle")
    pods = (f"pod-{number}" for number in itertools.count(1))
    began = time.monotonic()
    codes: list[int] = []
    with contextlib.ExitStack() as everything, contextlib.ExitStack() as traffic:
        # The processes leave last: the clients are gone by then.
        serving = everything.enter_context(_process(folder, next(pods)))
        http = traffic.enter_context(forwarder.forwarding(serving.port))
        grpc = traffic.enter_context(forwarder.forwarding(serving.grpc_port))
        ledgers = (
            traffic.enter_context(clients.load(http.port, *_HTTP)),
            traffic.enter_context(clients.load(grpc.port, *_GRPC)),
        )
        while not _enough(ledgers, len(codes)) and time.monotonic() - began < _LONGEST_SECONDS:
            successor = everything.enter_context(_process(folder, next(pods)))
            time.sleep(_SERVES_SECONDS)
            http.target, grpc.target = successor.port, successor.grpc_port
            serving.terminate()
            codes.append(serving.wait_for_end(timeout=60).code)
            _tell(ledgers, serving)
            serving = successor
    return Figures(
        http=_count(ledgers[0]),
        grpc=_count(ledgers[1]),
        failures=[failure for ledger in ledgers for failure in ledger.failures],
        drains=len(codes),
        exit_codes=codes,
        seconds=round(time.monotonic() - began, 1),
    )


@contextlib.contextmanager
def _process(folder: pathlib.Path, pod: str) -> Iterator[RuntimeProcess]:
    with processes.running(folder / pod, folder / "bundle", SLIPWAY_POD_NAME=pod, **_ENVIRONMENT) as process:
        yield process


def _enough(ledgers: tuple[Ledger, ...], drains: int) -> bool:
    return sum(map(_count, ledgers)) >= REQUESTS and drains >= LEAST_DRAINS


def _count(ledger: Ledger) -> int:
    return sum(ledger.answers.copy().values()) + len(ledger.failures)


def _tell(ledgers: tuple[Ledger, ...], left: RuntimeProcess) -> None:
    http, grpc = map(_count, ledgers)
    failed = sum(len(ledger.failures) for ledger in ledgers)
    print(f"{http:,} over HTTP, {grpc:,} over gRPC, {failed} failed", flush=True)
    for entry in left.log:
        if entry.get("level") not in ("debug", "info"):
            print(f"  {entry}")


if __name__ == "__main__":
    sys.exit(main())
