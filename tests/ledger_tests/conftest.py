"""Fixtures of the ledger's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ledger.generator.load import Load
from tests.ledger.generator.run import Run
from tests.ledger.generator.settings import Settings, Target
from tests.ledger_tests.server import Behaviour, Server


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Server]]:
    """Start a server that behaves so."""
    servers: list[Server] = []

    def start(behaviour: Behaviour) -> Server:
        servers.append(Server(behaviour))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[Callable[[Target, Load], Run]]:
    """Start a generator's run in this process; its records lie in tmp_path/g.jsonl."""
    runs: list[Run] = []

    def start(target: Target, load: Load) -> Run:
        run = Run(settings(target, load, tmp_path / "g.jsonl"))
        runs.append(run)
        run.start()
        return run

    yield start
    for run in runs:
        run.stop()
        run.wait(10)


def settings(target: Target, load: Load, records: Path) -> Settings:
    return Settings(
        target=target, load=load, name="g", records=records, port=0, timeout=5, reachable_within=0.5
    )
