"""`python -m tests.matrix`: all cases in order, those that have a verdict already left out.

The exit status: 0 every case that was wanted passed, 1 one did not, 130 interrupted. Results lie in
.matrix/<state of the sources>/, with the recording, the operator's log and the ledger of what failed.
"""

import argparse
import datetime
import os
import platform
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

import pytest
from rich.console import Console
from rich.markup import escape

from tests.cluster import paths
from tests.matrix import sources, table
from tests.matrix.clerk import Clerk, is_wanted
from tests.matrix.result import Book, Result, Verdict

FOLDER = paths.ROOT / ".matrix"
TESTS = ("tests/matrix", "tests/rollout", "tests/operator_shell")
# What is promised of an operator at rest; `make test` has no time for all of it.
IN_FULL = {"SLIPWAY_IDLE_MODELS": "20", "SLIPWAY_IDLE_SECONDS": "600"}
PAGE = paths.ROOT / "docs" / "matrix.md"
_MARKS = {Verdict.PASSED: "[green]✓[/]", Verdict.FAILED: "[red]✗[/]", Verdict.SKIPPED: "[yellow]-[/]"}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    folder = FOLDER / (options.key or sources.key(paths.ROOT))
    book = Book(folder / "results.jsonl")
    before = book.read()
    if before:
        console.print(f"{len(before)} cases have a verdict in {folder.relative_to(paths.ROOT)} already.")
    clerk = _clerk(options, console, folder, book)
    status = _run(clerk, folder, collect_only=options.table)
    results = book.read()
    console.print(table.rich_table(clerk.known, results))
    console.print(table.summary(clerk.known, results))
    if options.publish:
        _publish(clerk.known, results, note=options.note)
    return status or _exit_status(clerk.known, results, options.only)


def _clerk(options: argparse.Namespace, console: Console, folder: Path, book: Book) -> Clerk:
    done = {case for case, found in book.read().items() if not _again(found, again=options.again)}

    def begin(case: str, title: str) -> None:
        console.print(f"[dim]… {case:4} {escape(title)}[/]")

    def tell(found: Result) -> None:
        book.write(found)
        _tell(console, found)

    evidence = folder / f"runs-{datetime.datetime.now(datetime.UTC):%H%M%S}-{os.getpid()}"
    return Clerk(wanted=options.only, done=done, evidence=evidence, begin=begin, tell=tell)


def _again(found: Result, *, again: bool) -> bool:
    return again and found.verdict is not Verdict.PASSED


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
    machine = f"{os.cpu_count()} processors, {platform.system()}"
    where = f"Run on {today} on two local nodes of one machine ({machine}{note and ', ' + note})."
    PAGE.write_text(table.markdown(known, results, where=where))
    PAGE.with_suffix(".json").write_text(table.document(known, results, where=where))


def _exit_status(known: Mapping[str, str], results: Mapping[str, Result], only: Sequence[str]) -> int:
    wanted = [case for case in known if is_wanted(case, only)]
    bad = [case for case in wanted if case not in results or results[case].verdict is Verdict.FAILED]
    return 1 if bad else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description="The case matrix.")
    parser.add_argument("only", nargs="*", help="ids of cases, or letters of their kinds: A, B, C1 (all)")
    parser.add_argument("--again", action="store_true", help="run again what has failed")
    parser.add_argument("--key", help="continue the results of that state of the sources")
    parser.add_argument("--table", action="store_true", help="run nothing, show what is known")
    parser.add_argument("--publish", action="store_true", help="write docs/matrix.md and docs/matrix.json")
    parser.add_argument("--note", default="", help="what else the page shall say of the machine")
    return parser


if __name__ == "__main__":
    sys.exit(main())
