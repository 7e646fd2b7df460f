"""What came of one case, and the file that remembers it: a run that was cut short goes on where it was.

Must not know pytest, nor how a table looks.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import TypeAdapter


class Verdict(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # it needs what this cluster has not


@dataclass(frozen=True, slots=True)
class Result:
    """One case. `requests` and `failed` are None when it sent none; seconds as measured on this machine."""

    id: str
    title: str
    verdict: Verdict
    seconds: float
    requests: int | None = None
    failed: int | None = None
    seconds_back: float | None = None
    remark: str = ""
    why: str = ""
    evidence: str = ""  # the folder of a case that failed

    @property
    def order(self) -> tuple[str, int, str]:
        """A2 comes before A10."""
        return order(self.id)


def order(case: str) -> tuple[str, int, str]:
    """The key that sorts ids of cases as people count."""
    found = re.fullmatch(r"(\D*)(\d+)(.*)", case)
    return (found[1], int(found[2]), found[3]) if found else (case, 0, "")


class Judged(Protocol):
    """What every kind of result has."""

    @property
    def id(self) -> str: ...
    @property
    def verdict(self) -> Verdict: ...


Kind = TypeVar("Kind", bound=Judged)


class Book(Generic[Kind]):
    """The results of one state of the sources, a line each; the last of an id counts."""

    def __init__(self, file: Path, kind: type[Kind]) -> None:
        self._file = file
        self._form = TypeAdapter(kind)

    def read(self) -> Mapping[str, Kind]:
        """By the id."""
        if not self._file.exists():
            return {}
        results = (self._form.validate_json(line) for line in self._file.read_text().splitlines())
        return {result.id: result for result in results}

    def done(self, *, again: bool) -> Collection[str]:
        """Ids of what is not to be run any more; `again`: what did not pass is."""
        return {name for name, found in self.read().items() if not again or found.verdict is Verdict.PASSED}

    def write(self, result: Kind) -> None:
        """Remember it at once."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as lines:
            lines.write(self._form.dump_json(result).decode() + "\n")


def exit_status(wanted: Collection[str], results: Mapping[str, Judged]) -> int:
    """0 when all of them passed or could not be asked of this cluster, else 1."""
    bad = [name for name in wanted if name not in results or results[name].verdict is Verdict.FAILED]
    return 1 if bad else 0
