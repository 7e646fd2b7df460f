"""Whether a ledger is whole: every request that was to be sent has exactly one outcome, and none is missing.

A client has one request in flight at most, so its lines must alternate: intent 1, outcome 1, intent 2, ...
Whatever breaks that, and whatever the generator's own counts do not confirm, is unaccounted for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.ledger.records import Damaged, End, Intent, Outcome, Record, Start


@dataclass(frozen=True, slots=True)
class Audit:
    """The books of one generator: `requests` by the highest count that anybody gave."""

    requests: int
    unaccounted: int
    findings: tuple[str, ...]


@dataclass(slots=True)
class _Line:
    """One client's requests so far."""

    last: int = 0
    open: bool = False


@dataclass(slots=True)
class Auditor:
    """Takes one generator's records in the order of its file, then gives its `audit`."""

    generator: str
    _clients: dict[str, _Line] = field(default_factory=lambda: defaultdict(_Line))
    _findings: list[str] = field(default_factory=list)
    _unaccounted: int = 0
    _started: bool = False
    _end: End | None = None

    def take(self, record: Record) -> None:
        """Look at the next record."""
        match record:
            case Start():
                self._started = True
            case Intent():
                self._intent(record)
            case Outcome():
                self._outcome(record)
            case End():
                self._end = record
            case Damaged():
                self._findings.append(f"{self.generator}: unreadable line {record.text!r}")

    def audit(self, *, counted: int | None = None) -> Audit:
        """Close the books; `counted` is the generator's live count of requests, where it was asked."""
        for client, line in self._clients.items():
            if line.open:
                self._miss(client, 1, f"request {line.last} has no outcome")
        requests = self._ended() if self._end else self._cut_off()
        if counted is not None and counted != requests:
            self._miss(self.generator, abs(counted - requests), f"counted {counted}, recorded {requests}")
        if not self._started:
            self._findings.append(f"{self.generator}: its first line is missing")
        return Audit(max(requests, counted or 0), self._unaccounted, tuple(self._findings))

    def _intent(self, intent: Intent) -> None:
        line = self._clients[intent.client]
        if line.open:
            self._miss(intent.client, 1, f"request {line.last} has no outcome")
        self._in_order(intent.client, line, intent.seq)
        line.open = True

    def _outcome(self, outcome: Outcome) -> None:
        line = self._clients[outcome.client]
        if not line.open:
            self._miss(outcome.client, 1, f"an outcome of request {outcome.seq} too many")
        elif outcome.seq != line.last:
            self._miss(outcome.client, 1, f"outcome of request {outcome.seq} instead of {line.last}")
        line.last = max(line.last, outcome.seq)
        line.open = False

    def _in_order(self, client: str, line: _Line, seq: int) -> None:
        if missing := seq - line.last - 1:
            self._miss(client, abs(missing), f"request {line.last} is followed by request {seq}")
        line.last = max(line.last, seq)

    def _ended(self) -> int:
        sent = dict(self._end.sent) if self._end else {}
        for client in sent.keys() | self._clients.keys():
            recorded = self._clients[client].last
            if sent.get(client, 0) != recorded:
                missing = abs(sent.get(client, 0) - recorded)
                self._miss(client, missing, f"sent {sent.get(client, 0)}, recorded {recorded}")
        return sum(max(line.last, sent.get(client, 0)) for client, line in self._clients.items())

    def _cut_off(self) -> int:
        # What it sent after its last line nobody knows: one request at least stands for it.
        self._miss(self.generator, 1, "its records end without an end: it died, or they were cut off")
        return sum(line.last for line in self._clients.values())

    def _miss(self, who: str, count: int, what: str) -> None:
        self._unaccounted += count
        self._findings.append(f"{who}: {what}")


def audit(generator: str, records: Iterable[Record], *, counted: int | None = None) -> Audit:
    """Check one generator's records."""
    auditor = Auditor(generator)
    for record in records:
        auditor.take(record)
    return auditor.audit(counted=counted)
