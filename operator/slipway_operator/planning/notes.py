"""What a plan may write on a revision's Deployment: the course of its attempt, which no cluster remembers.

Of these, too, each is one API write. Must not know the annotations' names.
"""

from __future__ import annotations

import dataclasses
import datetime

from slipway_operator.domain import observed


@dataclasses.dataclass(frozen=True, slots=True)
class StartAttempt:
    """A new try of a revision that exists: its clock starts anew, its verdicts are cleared."""

    revision: str
    replicas: int
    at: datetime.datetime
    number: int
    beside: int | None = None  # as in CreateDeployment

    def __str__(self) -> str:
        return f"start attempt {self.number} of revision {self.revision} with {self.replicas} replicas"


@dataclasses.dataclass(frozen=True, slots=True)
class MarkPromoted:
    """Writes on the Deployment that the traffic has come to it."""

    revision: str
    at: datetime.datetime

    def __str__(self) -> str:
        return f"note that revision {self.revision} has the traffic"


@dataclasses.dataclass(frozen=True, slots=True)
class Reject:
    """The version is bad. Sticks until the revision or the retry token changes."""

    revision: str
    verdict: observed.Verdict

    def __str__(self) -> str:
        return f"reject revision {self.revision}: {self.verdict.reason}: {self.verdict.message}"


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """The version could not come up in time; what it holds goes to others until it is tried again."""

    revision: str
    verdict: observed.Verdict

    def __str__(self) -> str:
        return f"let go the pods of revision {self.revision}: {self.verdict.reason}: {self.verdict.message}"


@dataclasses.dataclass(frozen=True, slots=True)
class NoteSlowness:
    """Writes on the Deployment that the version is slower than what served before."""

    revision: str
    message: str

    def __str__(self) -> str:
        return f"note that revision {self.revision} is slow: {self.message}"


Note = StartAttempt | MarkPromoted | Reject | Release | NoteSlowness
