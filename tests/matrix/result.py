"""What came of one case, and the file that remembers it: a run that was cut short goes on where it was.

Must not know pytest, nor how a table looks.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


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


class Book:
    """The results of one state of the sources, a line each; the last of a case counts."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Mapping[str, Result]:
        """By the case's id."""
        if not self._file.exists():
            return {}
        lines = (json.loads(line) for line in self._file.read_text().splitlines())
        return {line["id"]: Result(**line | {"verdict": Verdict(line["verdict"])}) for line in lines}

    def write(self, result: Result) -> None:
        """Remember it at once."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as lines:
            lines.write(json.dumps(asdict(result)) + "\n")
