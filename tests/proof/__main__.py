"""`python -m tests.proof`: all entries in order, those that have a verdict already left out.

The exit status: 0 every entry that was wanted passed, 1 one did not, 130 interrupted. Results lie in
.proof/<state of the sources>/, with a folder of evidence for each entry. What is interrupted has no verdict.
"""

import argparse
import datetime
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tests.cluster import paths
from tests.cluster.errors import ClusterError
from tests.matrix import options, result, sources
from tests.matrix.result import Book, Verdict
from tests.proof import page
from tests.proof.entries import ENTRIES
from tests.proof.entry import Entry, NotHereError, Result

FOLDER = paths.ROOT / ".proof"
DOCS = paths.ROOT / "docs"
_EXPECTED = (ClusterError, AssertionError)  # they say in a sentence what did not come about
_STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.SKIPPED: "yellow"}


def main(
    arguments: Sequence[str] | None = None,
    *,
    entries: Mapping[str, Entry] = ENTRIES,
    proofs: Path = FOLDER,
    docs: Path = DOCS,
) -> int:
    asked = _asked(arguments, entries)
    console = Console(width=None if sys.stdout.isatty() else 160)
    folder = proofs / f"{asked.key or sources.key(paths.ROOT)}{'-quick' if asked.quick else ''}"
    book = Book(folder / "results.jsonl", Result)
    wanted = asked.only or list(entries)
    status = 0 if asked.table else _run([entries[name] for name in wanted], asked, console, book, folder)
    known, results = {name: entry.title for name, entry in entries.items()}, book.read()
    console.print(page.rich_table(known, results))
    console.print(page.summary(known, results))
    if asked.publish:
        _publish(known, results, folder, docs, note=asked.note)
    return status or result.exit_status(wanted, results)


def _run(
    wanted: Sequence[Entry], asked: argparse.Namespace, console: Console, book: Book[Result], folder: Path
) -> int:
    """130 when it was interrupted, else 0."""
    done = book.done(again=asked.again)
    try:
        for entry in wanted:
            if entry.id in done:
                console.print(f"[dim]{entry.id} has a verdict already[/]")
                continue
            console.print(f"[dim]… {entry.id}: {entry.title}[/]", soft_wrap=True)
            found = play(entry, folder / entry.id, quick=asked.quick)
            book.write(found)
            _tell(console, found)
    except KeyboardInterrupt:
        console.print("Interrupted; the same command goes on from here.")
        return 130
    return 0


def play(entry: Entry, folder: Path, *, quick: bool) -> Result:
    """One entry from its begin to its verdict, whatever it raises; only an interruption is let through."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "picture.svg").unlink(missing_ok=True)
    began, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    blank = Result(
        id=entry.id,
        title=entry.title,
        verdict=Verdict.FAILED,
        began=f"{began:%Y-%m-%d %H:%M} UTC",
        seconds=0,
        command=f"python -m tests.proof {entry.id}",
        evidence=str(folder),
    )
    return replace(_played(entry, blank, folder, quick=quick), seconds=round(time.monotonic() - clock, 1))


def _played(entry: Entry, blank: Result, folder: Path, *, quick: bool) -> Result:
    try:
        measured = entry.run(folder, quick=quick)
    except NotHereError as missing:
        return replace(blank, verdict=Verdict.SKIPPED, why=str(missing))
    except _EXPECTED as failure:
        return replace(blank, why=str(failure))
    except Exception:  # an error of the entry's own must not cost the hours of the others
        return replace(blank, why=traceback.format_exc())
    return replace(
        blank,
        verdict=Verdict.FAILED if measured.shortcomings else Verdict.PASSED,
        where=measured.where,
        figures=measured.figures,
        shortcomings=measured.shortcomings,
    )


def _tell(console: Console, found: Result) -> None:
    style = _STYLES[found.verdict]
    console.print(f"{found.id} {found.verdict.value} after {found.seconds:,.0f} s", style=style)
    for line in [*found.shortcomings, *found.why.splitlines()]:
        console.print(f"  {line}", style=style, markup=False, soft_wrap=True)
    console.print(f"  evidence: {found.evidence}", markup=False, soft_wrap=True)


def _publish(
    known: Mapping[str, str], results: Mapping[str, Result], folder: Path, docs: Path, *, note: str
) -> None:
    """The page, the same for machines, and the pictures that the entries have left."""
    images = docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    pictures = {name for name in results if (folder / name / "picture.svg").exists()}
    for name in pictures:
        shutil.copyfile(folder / name / "picture.svg", images / page.picture(name))
    (docs / "proof.md").write_text(page.markdown(known, results, pictures=pictures, note=note))
    (docs / "proof.json").write_text(page.document(known, results, note=note))


def _asked(arguments: Sequence[str] | None, entries: Mapping[str, Entry]) -> argparse.Namespace:
    description = "What takes hours to show."
    parser = options.parser(
        "tests.proof", description, of=f"entries: {', '.join(entries)}", page="docs/proof"
    )
    parser.add_argument("--quick", action="store_true", help="minutes each: does it work at all; kept apart")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.only if name not in entries]:
        parser.error(f"there is no entry {unknown[0]}; there is {', '.join(entries)}")
    if asked.quick and asked.publish:
        parser.error("what --quick finds proves nothing, and is not published")
    return asked


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: nothing is left in the cluster
    sys.exit(main())
