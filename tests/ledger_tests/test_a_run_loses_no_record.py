"""A whole generator: it ends by itself or when told; what it was doing when it was killed is known."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ledger import records
from tests.ledger.generator.journal import Journal
from tests.ledger.generator.load import ClientClass, Load, Rate, Think
from tests.ledger.generator.run import Run, State
from tests.ledger.generator.settings import Target
from tests.ledger.generator.window import Window
from tests.ledger.report import Report, build
from tests.ledger_tests import server as behave
from tests.ledger_tests.conftest import settings
from tests.ledger_tests.server import Behaviour, Server

Serve = Callable[[Behaviour], Server]
StartRun = Callable[[Target, Load], Run]

CLIENTS = {ClientClass.FAST: 2, ClientClass.SLOW: 1, ClientClass.POOL: 1, ClientClass.NEW: 1}
PACES = {name: Rate(60) for name in CLIENTS} | {ClientClass.SLOW: Think(0, 0.2)}


def load(**bounds: Any) -> Load:
    return Load(clients=CLIENTS, paces=PACES, **bounds)


def report_of(file: Path) -> Report:
    return build({"g": records.read_file(file)})


def test_it_ends_after_its_number_of_requests(serve: Serve, start_run: StartRun, tmp_path: Path) -> None:
    run = start_run(serve(behave.right).target, load(max_requests=100))
    assert run.wait(10)
    report = report_of(tmp_path / "g.jsonl")
    assert (report.passed, report.requests, report.served) == (True, 100, 100), report
    assert {line.client_class for line in report.classes} == set(CLIENTS)


def test_it_ends_after_its_time(serve: Serve, start_run: StartRun, tmp_path: Path) -> None:
    run = start_run(serve(behave.right).target, load(max_seconds=1))
    assert run.wait(10)
    assert run.state is State.DONE
    assert report_of(tmp_path / "g.jsonl").passed


def test_every_request_reaches_the_server_once(serve: Serve, start_run: StartRun, tmp_path: Path) -> None:
    server = serve(behave.right)
    run = start_run(server.target, load(max_requests=150))
    assert run.wait(10)
    assert len(server.seen.requests) == 150
    assert set(server.seen.requests.values()) == {1}


def test_failures_are_counted_by_reason(serve: Serve, start_run: StartRun, tmp_path: Path) -> None:
    run = start_run(serve(behave.shutting_down).target, load(max_requests=40))
    assert run.wait(10)
    report = report_of(tmp_path / "g.jsonl")
    assert (report.requests, report.failed, report.unaccounted) == (40, 40, 0)
    assert {failure.reason for failure in report.failures} == {"status 503 shutting_down"}
    assert run.counts()["reasons"] == {"status 503 shutting_down": 40}


def test_an_answer_in_drops_does_not_outlast_the_timeout(serve: Serve, tmp_path: Path) -> None:
    patient = settings(
        serve(behave.drips).target, Load(clients={ClientClass.FAST: 1}, max_requests=1), tmp_path / "g.jsonl"
    )
    run = Run(dataclasses.replace(patient, timeout=0.5))
    run.start()
    assert run.wait(10)
    assert run.counts()["failed"] == 1


def test_a_target_that_nobody_reaches_fails_the_report(
    serve: Serve, start_run: StartRun, tmp_path: Path
) -> None:
    server = serve(behave.right)
    server.close()
    run = start_run(server.target, load(max_requests=10))
    assert run.wait(10)
    report = report_of(tmp_path / "g.jsonl")
    assert report.failed == 10
    assert "never accepted" in report.findings[0]


@contextlib.contextmanager
def opened(run: Run) -> Iterator[Callable[..., Any]]:
    """Open the run's window; yields a function that asks it."""
    window = Window(0, run)
    threading.Thread(target=window.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def ask(path: str, body: bytes | None = None) -> bytes:
        address = f"http://127.0.0.1:{window.server_address[1]}{path}"
        with urllib.request.urlopen(address, data=body, timeout=5) as answer:
            content: bytes = answer.read()
        return content

    try:
        yield ask
    finally:
        window.shutdown()
        window.server_close()


def test_the_window_shows_counts_and_records_and_takes_the_stop(
    serve: Serve, start_run: StartRun, tmp_path: Path
) -> None:
    run = start_run(serve(behave.right).target, load())
    with opened(run) as ask:
        while json.loads(ask("/counts"))["requests"] < 50:
            time.sleep(0.02)
        early = ask("/records?offset=0")
        assert early.endswith(b"\n")
        assert json.loads(ask("/stop", b"{}"))["state"] in ("stopping", "done")
        assert run.wait(5)
        assert json.loads(ask("/done")) == {"done": True}
        late = ask(f"/records?offset={len(early)}")
        counts = json.loads(ask("/counts"))
        assert ask(f"/records?offset={counts['records_bytes']}") == b""
    assert early + late == (tmp_path / "g.jsonl").read_bytes()
    report = report_of(tmp_path / "g.jsonl")
    assert (report.passed, report.requests, counts["in_flight"]) == (True, counts["requests"], 0)
    assert counts["state"] == "done"


def command(target: Target, file: Path, *flags: str) -> list[str]:
    load_flags = ["--clients", "fast=2,slow=2,pool=1,new=1", "--pace", "fast=100/s,slow=0-0.1s,new=50/s"]
    place = ["--target", target.url, "--records", str(file), "--name", "g", "--port", "0"]
    return [sys.executable, "-m", "tests.ledger.generator", *place, *load_flags, *flags]


def wait_for_lines(file: Path, count: int) -> None:
    deadline = time.monotonic() + 15
    while not file.exists() or file.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, "the generator does not write"
        time.sleep(0.05)


def test_killed_in_full_flight_it_leaves_what_was_in_flight(serve: Serve, tmp_path: Path) -> None:
    server, file = serve(behave.right), tmp_path / "g.jsonl"
    with subprocess.Popen(command(server.target, file)) as process:
        wait_for_lines(file, 100)
        server.behaviour = behave.too_late  # now every client hangs in a request
        time.sleep(0.3)
        process.kill()
    report = report_of(file)
    assert not report.passed
    assert report.unaccounted >= 2, report
    assert any("no outcome" in finding for finding in report.findings)
    assert any("without an end" in finding for finding in report.findings)
    intents = sum(isinstance(record, records.Intent) for record in records.read_file(file))
    assert len(server.seen.requests) <= intents, "nothing was sent that was not written down before"


def test_told_to_go_it_finishes_what_is_in_flight(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "g.jsonl"
    with subprocess.Popen(command(serve(behave.right).target, file)) as process:
        wait_for_lines(file, 50)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert report_of(file).passed


def test_a_full_volume_ends_the_run_as_broken(serve: Serve, tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    run = Run(settings(serve(behave.right).target, load(), tmp_path / "g.jsonl"))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, run.journal._file)
    os.close(full)
    run.start()
    assert run.wait(5)
    assert run.state is State.BROKEN
    assert "No space left" in str(run.counts()["broken"])


def test_the_records_of_two_lives_never_mix(tmp_path: Path) -> None:
    Journal(tmp_path / "g.jsonl")
    with pytest.raises(FileExistsError):
        Journal(tmp_path / "g.jsonl")
