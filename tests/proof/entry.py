"""What an entry of `make proof` is, what it comes back with, and what is remembered of it.

Must not know any entry, nor how a page looks.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.matrix.result import Verdict


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured. `wanted` says in words what it has to be; "" where it is only told."""

    name: str
    value: int | float | str | None  # None: it could not be found out
    unit: str = ""
    wanted: str = ""

    @property
    def text(self) -> str:
        """The value as people read it."""
        match self.value:
            case None:
                return "not known"
            case str():
                return self.value
            case _:
                return f"{self.value:,} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Measured:
    """What an entry found. `shortcomings` say why it proves nothing, or the contrary; none when it passed."""

    where: str
    figures: tuple[Figure, ...]
    shortcomings: tuple[str, ...] = ()


class NotHereError(Exception):
    """What the entry needs is not to be had on this cluster or machine; the sentence says what it is."""


class Entry(Protocol):
    """One thing to be shown, in a module of its own, and registered in `entries`."""

    @property
    def id(self) -> str:
        """A short name, for a command line and a folder."""

    @property
    def title(self) -> str:
        """What is shown, in a sentence without a full stop."""

    def run(self, folder: Path, *, quick: bool) -> Measured:
        """Measure it, in stages (tests.cluster.stages) that tell how far they are.

        `folder` is the entry's own, and the same after an interruption: what it has left there it may go on
        with. A `picture.svg` in it is shown on the page. `quick`: minutes in place of hours, only to see
        whether it works. What is raised means that it did not come to its end; NotHereError, that it cannot.
        """


@dataclass(frozen=True, slots=True)
class Result:
    """One entry's end. `seconds` are those that it took in all."""

    id: str
    title: str
    verdict: Verdict
    began: str
    seconds: float
    command: str
    where: str = ""
    figures: tuple[Figure, ...] = ()
    shortcomings: tuple[str, ...] = ()
    why: str = ""  # what was raised
    evidence: str = ""  # its folder
