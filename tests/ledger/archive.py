"""The folder of one run: each generator's records and last counts, and the report made from them.

A report can be made again from the folder alone, by a newer reader too. Knows no cluster.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.ledger import plot, records, rendering
from tests.ledger.report import Books, Report

COUNTS = ".counts.json"


@dataclass(frozen=True, slots=True)
class Archive:
    """`<generator>.jsonl`, `<generator>.counts.json`, `report.json`, `report.txt`, `timeline.svg`."""

    folder: Path

    def clear(self) -> None:
        """Make the folder, without what an earlier run left in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for pattern in ("*.jsonl", f"*{COUNTS}", "remarks.txt", "report.json", "report.txt", "timeline.svg"):
            for file in self.folder.glob(pattern):
                file.unlink()

    def size(self, generator: str) -> int:
        """Return how many bytes of this generator's records are here."""
        file = self._records(generator)
        return file.stat().st_size if file.exists() else 0

    def append(self, generator: str, chunk: str) -> None:
        """Add the next records."""
        with self._records(generator).open("ab") as file:
            file.write(chunk.encode())

    def count(self, generator: str, requests: int) -> None:
        """Keep the generator's own count of requests, to be held against its records."""
        (self.folder / f"{generator}{COUNTS}").write_text(json.dumps({"requests": requests}))

    def remark(self, finding: str) -> None:
        """Keep what went wrong with the run itself; it becomes a finding of the report."""
        with (self.folder / "remarks.txt").open("a", encoding="utf-8") as file:
            file.write(" ".join(finding.split()) + "\n")

    def report(self) -> Report:
        """Read everything and return the report."""
        books = Books()
        for file in sorted(self.folder.glob("*.jsonl")):
            books.enter(file.stem, records.read_file(file), counted=self._counted(file.stem))
        remarks = self.folder / "remarks.txt"
        for remark in remarks.read_text(encoding="utf-8").splitlines() if remarks.exists() else ():
            books.remark(remark)
        return books.report()

    def write(self, report: Report) -> None:
        """Lay the report beside the records, for programs and for people."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "report.json").write_text(json.dumps(report.as_json(), indent=2) + "\n")
        (self.folder / "report.txt").write_text(rendering.plain(report), encoding="utf-8")
        (self.folder / "timeline.svg").write_text(self._timeline().draw(report.switches), encoding="utf-8")

    def _timeline(self) -> plot.Timeline:
        timeline = plot.Timeline()
        for file in self.folder.glob("*.jsonl"):
            for record in records.read_file(file):
                if isinstance(record, records.Outcome):
                    timeline.take(record)
        return timeline

    def _records(self, generator: str) -> Path:
        return self.folder / f"{generator}.jsonl"

    def _counted(self, generator: str) -> int | None:
        file = self.folder / f"{generator}{COUNTS}"
        return int(json.loads(file.read_text())["requests"]) if file.exists() else None
