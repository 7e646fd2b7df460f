"""`python -m tests.matrix`: all cases in order, those that have a verdict already left out.

The exit status: 0 every case that was wanted passed, 1 one did not, 130 interrupted. Results lie in
.matrix/<state of the sources>/, with the recording, the operator's log and the ledger of what failed.
"""

import argparse
import datetime
import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

import pytest
from rich.console import Console
from rich.markup import escape

from tests.cluster import paths
from tests.matrix import options, result, sources, table
from tests.matrix.clerk import Clerk, is_wanted
from tests.matrix.result import Book, Result, Verdict

FOLDER = paths.ROOT / ".matrix"
TESTS = ("tests/matrix", "tests/rollout", "tests/operator_shell")
# What is promised of an operator at rest; `make test` has no time for all of it.
IN_FULL = {"SLIPWAY_IDLE_MODELS": "20", "SLIPWAY_IDLE_SECONDS": "600"}
PAGE = paths.ROOT / "docs" / "matrix.md"
_MARKS = {Verdict.PASSED: "[green]✓[/]", Verdict.FAILED: "[red]✗[/]", Verdict.SKIPPED: "[yellow]-[/]"}


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    folder = FOLDER / (asked.key or sources.key(paths.ROOT))
    book = Book(folder / "results.jsonl", Result)
    before = book.read()
    if before:
        console.print(f"{len(before)} cases have a verdict in {folder.relative_to(paths.ROOT)} already.")
    clerk = _clerk(asked, console, folder, book)
    status = _run(clerk, folder, collect_only=asked.table)
    results = book.read()
    console.print(table.rich_table(clerk.known, results))
    console.print(table.summary(clerk.known, results))
    if asked.publish:
        _publish(clerk.known, results, note=asked.note)
    wanted = [case for case in clerk.known if is_wanted(case, asked.only)]
    return status or result.exit_status(wanted, results)


def _clerk(asked: argparse.Namespace, console: Console, folder: Path, book: Book[Result]) -> Clerk:
    def begin(case: str, title: str) -> None:
        console.print(f"[dim]… {case:4} {escape(title)}[/]")

    def tell(found: Result) -> None:
        book.write(found)
        _tell(console, found)

    evidence = folder / f"runs-{datetime.datetime.now(datetime.UTC):%H%M%S}-{os.getpid()}"
    done = book.done(again=asked.again)
    return Clerk(wanted=asked.only, done=done, evidence=evidence, begin=begin, tell=tell)


def _run(clerk: Clerk, folder: Path, *, collect_only: bool) -> int:
    """130 when it was interrupted, 2 when the cases could not be read, else 0."""
    folder.mkdir(parents=True, exist_ok=True)
    in_full(os.environ)
    quietly = ["-o", "addopts=--import-mode=importlib", "-p", "no:terminal", "-p", "no:cacheprovider"]
    keep = [f"--basetemp={clerk.evidence}", "-o", "tmp_path_retention_policy=failed"]
    status = pytest.main(
        [*TESTS, *quietly, *keep, *(["--collect-only"] if collect_only else [])], plugins=[clerk]
    )
    match status:
        case pytest.ExitCode.INTERRUPTED:
            return 130
        case pytest.ExitCode.OK | pytest.ExitCode.TESTS_FAILED | pytest.ExitCode.NO_TESTS_COLLECTED:
            return 0
    return 2


def in_full(environment: MutableMapping[str, str]) -> None:
    """What the cases are to measure, where nobody has asked for something else."""
    for name, value in IN_FULL.items():
        environment.setdefault(name, value)


def _tell(console: Console, found: Result) -> None:
    said = [f"{_MARKS[found.verdict]} {found.id:4} {escape(found.title)}: {found.seconds:.0f} s"]
    if found.requests is not None:
        said.append(f"{found.requests:,} requests, {found.failed or 0:,} failed")
    if found.seconds_back is not None:
        said.append(f"back in {found.seconds_back:.1f} s")
    console.print(", ".join(said), soft_wrap=True, highlight=False)
    for line in found.why.splitlines():
        console.print(f"       {line}", style="red", markup=False, soft_wrap=True)
    if found.evidence:
        console.print(f"       evidence: {found.evidence}", style="red", markup=False, soft_wrap=True)


def _publish(known: Mapping[str, str], results: Mapping[str, Result], *, note: str) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    where = f"Run on {today} on two local nodes of one machine ({sources.machine()}{note and ', ' + note})."
    PAGE.write_text(table.markdown(known, results, where=where))
    PAGE.with_suffix(".json").write_text(table.document(known, results, where=where))


def _parser() -> argparse.ArgumentParser:
    of = "ids of cases, or letters of their kinds: A, B, C1"
    return options.parser("tests.matrix", "The case matrix.", of=of, page="docs/matrix")


if __name__ == "__main__":
    sys.exit(main())
