"""A broken promise, as a sentence for a person."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from tests.recorder.metadata import Key

T = TypeVar("T")
Excuse = Callable[["Violation"], bool]


@dataclass(frozen=True, slots=True)
class Violation:
    """`invariant` is I1 to I14; `subject` the object it is about; `evidence` what the sentence rests on."""

    invariant: str
    at: datetime
    sentence: str
    subject: Key
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.invariant} {self.at:%H:%M:%S.%f}  {self.sentence}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How far apart two things may be that cannot happen at once."""

    read_age: timedelta = timedelta(seconds=2)  # of a reading that the operator acts on
    truth_lag: timedelta = timedelta(seconds=5)  # between the selector and what the status says of it
    flip_within: timedelta = timedelta(seconds=30)  # from lost readiness in the bake to the flip-back

    def at_least(self, time: timedelta) -> "Limits":
        """None of them shorter than that."""
        return Limits(max(self.read_age, time), max(self.truth_lag, time), max(self.flip_within, time))
