"""What a soak has to show, and whether it did. Pure.

Must not know how the figures came about.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

REQUESTS = 50_000
SWITCHES = 5
KILLS = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figures of one soak. `seconds` are those in which requests were sent."""

    requests: int
    failed: int
    switches: int
    operator_kills: int
    violations: tuple[str, ...]
    seconds: float

    @property
    def shortcomings(self) -> list[str]:
        """Why it proves nothing, or the contrary, a sentence each; none when it passed."""
        return list(self._shortcomings())

    def as_json(self) -> dict[str, object]:
        """The document for machines."""
        return {"passed": not self.shortcomings, **asdict(self), "shortcomings": self.shortcomings}

    def _shortcomings(self) -> Iterator[str]:
        if self.failed:
            yield f"{self.failed:,} of {self.requests:,} requests failed"
        if self.requests < REQUESTS:
            yield f"{self.requests:,} requests were made, and {REQUESTS:,} were wanted"
        if self.switches < SWITCHES:
            yield f"the traffic moved {self.switches} times, and {SWITCHES} were wanted"
        if self.operator_kills < KILLS:
            yield f"the operator was killed {self.operator_kills} times, and {KILLS} were wanted"
        yield from self.violations
