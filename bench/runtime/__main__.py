"""`python -m bench.runtime`: from nothing to a page of figures."""

import argparse
import hashlib
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.runtime import (
    client,
    environments,
    machine,
    measuring,
    overload,
    paths,
    plan,
    report,
    servers,
    verdicts,
)
from bench.runtime.client import ClientError
from bench.runtime.environments import NoEnvironmentError
from bench.runtime.measuring import Bench, Told
from bench.runtime.plan import Plan
from bench.runtime.process import ServerError
from bench.runtime.records import Kind, Records
from tests.cluster.errors import ClusterError

_console = Console(highlight=False)


def main() -> int:
    """Exit code 0 when every goal that was measured is reached, 1 when not, 2 when it could not run."""
    asked = _parse()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no server may be left behind
    chosen = plan.quick() if asked.quick else plan.full(asked.pairs)
    try:
        records, facts = _measure(chosen, asked)
    except (ClientError, NoEnvironmentError, ServerError, ClusterError) as error:
        _console.print(f"[red]{error}[/red]")
        return 2
    except KeyboardInterrupt:
        _console.print("stopped; the same command goes on from here")
        return 130
    return _conclude(chosen, records, facts, asked)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.runtime", description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="rounds, each a pair of every two (5)")
    parser.add_argument("--minutes", type=float, default=60, help="begin no round that ends later (60)")
    parser.add_argument("--quick", action="store_true", help="two servers, one point: does it work at all")
    parser.add_argument("--fresh", action="store_true", help="begin anew instead of going on with a run")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks.*")
    parser.add_argument("--overload-only", action="store_true", help="only overload and fairness")
    parser.add_argument(
        "--overload-seconds", type=float, default=overload.SECONDS, help="of three times the peak (300)"
    )
    parser.add_argument(
        "--runtime", type=Path, default=paths.ROOT / "runtime", help="another Slipway to measure"
    )
    parser.add_argument("--json", type=Path, help="also write the records here, as a JSON list")
    return parser.parse_args()


def _measure(chosen: Plan, asked: argparse.Namespace) -> tuple[Records, dict[str, str]]:
    began = time.monotonic()
    _prepare(chosen)
    file, facts = _opened(chosen, asked)
    records = Records(file)
    beyond = 0 if asked.quick else overload.seconds(asked.overload_seconds)
    expected = beyond + (0 if asked.overload_only else chosen.seconds())
    _console.print(
        f"{len(list(records))} measurements are there; the whole run takes some {expected / 60:.0f} min"
    )
    with _progress(expected) as told:
        bench = Bench(records, measuring.cores(), asked.runtime.absolute(), told)
        if not asked.quick:
            overload.run(bench, asked.overload_seconds)
        if not asked.overload_only:
            measuring.run(chosen, bench, until=began + 60 * asked.minutes)
    return records, facts


def _prepare(chosen: Plan) -> None:
    """Everything that takes the machine's time before anything is measured."""
    client.binary()
    for server in chosen.servers:
        if not server.interpreter and not environments.exists(server.environment_name, server.lock()):
            _console.print(f"… the environment of {server.title}, from its lock file")
        server.python()
        measuring.bodies(server)
    for model in chosen.models:
        measuring.bundle(model)


def _opened(chosen: Plan, asked: argparse.Namespace) -> tuple[Path, dict[str, str]]:
    """The records' file of this plan and this runtime, and what was noted when it was begun."""
    folder = paths.STATE / "runs" / _fingerprint(chosen, asked)
    file, noted = folder / "records.jsonl", folder / "machine.json"
    if asked.fresh or asked.quick:
        file.unlink(missing_ok=True)
        noted.unlink(missing_ok=True)
    if not noted.exists():
        folder.mkdir(parents=True, exist_ok=True)
        noted.write_text(json.dumps(machine.describe()))
    return file, json.loads(noted.read_text())


def _fingerprint(chosen: Plan, asked: argparse.Namespace) -> str:
    """Changes with the plan, the peers and the runtime: what was measured of others says nothing here."""
    plan_ = [chosen.rounds, chosen.points, len(chosen.servers), asked.overload_seconds]
    digest = hashlib.sha256(repr(plan_).encode())
    peers = [*servers.PEERS.rglob("*.py"), *servers.PEERS.rglob("*.lock")]
    for file in sorted([*asked.runtime.rglob("*.py"), *peers]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _progress(expected: float) -> Iterator[Told]:
    columns = (TimeElapsedColumn(), BarColumn(30), TextColumn("{task.description}"))
    with Progress(*columns, console=_console) as shown:
        task = shown.add_task("…", total=expected)

        def told(text: str) -> None:
            elapsed = shown.tasks[0].elapsed or 0.0
            shown.update(task, description=text, completed=min(elapsed, expected))
            if not _console.is_terminal:
                _console.print(text)

        yield told
        shown.update(task, description="done", completed=expected)


def _conclude(chosen: Plan, records: Records, facts: dict[str, str], asked: argparse.Namespace) -> int:
    if asked.json:
        rows = [{"kind": one.key.kind, "server": one.key.server, **one.values} for one in records]
        asked.json.write_text(json.dumps(rows, indent=1))
    if asked.quick:
        for one in records:
            if one.key.kind is Kind.LOAD:
                _console.print(f"{one.key.server}: {one.values['rate']:.0f} answers a second")
        return 0
    judged = verdicts.judge(chosen, records)
    for verdict in judged:
        word = {True: "[green]reached[/green]", False: "[red]missed [/red]", None: "[dim]unknown[/dim]"}
        _console.print(
            f"{word[verdict.reached]} {verdict.goal}: {verdict.found}", soft_wrap=True, markup=True
        )
    if asked.publish:
        for file in report.Report(chosen, records, facts).publish(judged):
            _console.print(f"wrote {file.relative_to(paths.ROOT)}")
    return int(any(verdict.reached is False for verdict in judged))


if __name__ == "__main__":
    sys.exit(main())
