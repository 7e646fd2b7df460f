"""What a ledger says: pure, from records to one report. Knows neither cluster nor files nor screens."""

from __future__ import annotations

import dataclasses
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.ledger.completeness import Auditor
from tests.ledger.records import Outcome, Record, Start
from tests.ledger.switches import Stays, Switch

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds, of served requests. An upload's includes the seconds in which its client sent the body."""

    p50: float
    p95: float
    p99: float
    worst: float


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One class of clients: its requests with an outcome, and those served by each version."""

    client_class: str
    requests: int
    failed: int
    versions: Mapping[str, int]
    latency: Latency | None


@dataclass(frozen=True, slots=True)
class Example:
    """One failed request, with what one needs to find it in other logs."""

    id: str
    sent_at: float
    done_at: float
    pod: str
    version: str
    connection: str
    age: float
    reused: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """All failures of one class for one reason; the first of them as examples."""

    client_class: str
    reason: str
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run. `failed` includes the `unaccounted`: what is not proved to be served, failed."""

    requests: int
    failed: int
    unaccounted: int
    began: float | None
    ended: float | None
    classes: tuple[ClassCount, ...]
    failures: tuple[Failure, ...]
    switches: tuple[Switch, ...]
    findings: tuple[str, ...]

    @property
    def served(self) -> int:
        """Requests that got the right answer."""
        return self.requests - self.failed

    @property
    def seconds(self) -> float:
        """From the first request to the last outcome."""
        return 0.0 if self.began is None or self.ended is None else self.ended - self.began

    @property
    def passed(self) -> bool:
        """No request failed, none is missing, there was one at least, and the books are whole."""
        return self.requests > 0 and self.failed == 0 and not self.findings

    def as_json(self) -> dict[str, object]:
        """Return the report as a JSON object, in the order in which people read it."""
        facts = {"passed": self.passed, "served": self.served, "seconds": round(self.seconds, 3)}
        document = facts | dataclasses.asdict(self)
        document["switches"] = [_switch_json(switch) for switch in self.switches]
        return document


@dataclass(slots=True)
class _Class:
    requests: int = 0
    failed: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    latencies: array[float] = field(default_factory=lambda: array("d"))


class Books:
    """Collects the records of all generators, each in the order of its file."""

    def __init__(self) -> None:
        self._classes: dict[str, _Class] = defaultdict(_Class)
        self._failures: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
        self._stays = Stays()
        self._began = math.inf
        self._ended = -math.inf
        self._requests = 0
        self._unaccounted = 0
        self._findings: list[str] = []

    def enter(self, generator: str, records: Iterable[Record], *, counted: int | None = None) -> None:
        """Enter all records of one generator; `counted` is its own live count of requests, if known."""
        auditor = Auditor(generator)
        for record in records:
            auditor.take(record)
            match record:
                case Outcome():
                    self._outcome(record)
                case Start(waited=None):
                    self._findings.append(f"{generator}: the target never accepted a first connection")
                case _:
                    pass
        audit = auditor.audit(counted=counted)
        self._requests += audit.requests
        self._unaccounted += audit.unaccounted
        self._findings += audit.findings

    def remark(self, finding: str) -> None:
        """Enter what somebody else found wrong with the records."""
        self._findings.append(finding)

    def report(self) -> Report:
        """Close the books."""
        failed = sum(len(outcomes) for outcomes in self._failures.values())
        empty = self._ended < self._began
        return Report(
            requests=self._requests,
            failed=failed + self._unaccounted,
            unaccounted=self._unaccounted,
            began=None if empty else self._began,
            ended=None if empty else self._ended,
            classes=tuple(_class_count(name, counts) for name, counts in sorted(self._classes.items())),
            failures=_failures(self._failures),
            switches=self._stays.switches(),
            findings=tuple(self._findings),
        )

    def _outcome(self, outcome: Outcome) -> None:
        self._began = min(self._began, outcome.sent_at)
        self._ended = max(self._ended, outcome.done_at)
        counts = self._classes[outcome.client_class]
        counts.requests += 1
        if not outcome.served:
            counts.failed += 1
            self._failures[outcome.client_class, outcome.reason].append(outcome)
            return
        counts.versions[outcome.version] += 1
        counts.latencies.append(outcome.latency)
        self._stays.take(outcome)


def build(generators: Mapping[str, Iterable[Record]], *, counted: Mapping[str, int] | None = None) -> Report:
    """Return the report on these generators' records; see `Books.enter` for `counted`."""
    books = Books()
    for generator, records in generators.items():
        books.enter(generator, records, counted=(counted or {}).get(generator))
    return books.report()


def _class_count(name: str, counts: _Class) -> ClassCount:
    versions = dict(sorted(counts.versions.items()))
    return ClassCount(name, counts.requests, counts.failed, versions, _latency(sorted(counts.latencies)))


def _latency(ordered: Sequence[float]) -> Latency | None:
    if not ordered:
        return None
    p50, p95, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.50, 0.95, 0.99))
    return Latency(p50, p95, p99, ordered[-1])


def _failures(found: Mapping[tuple[str, str], Sequence[Outcome]]) -> tuple[Failure, ...]:
    """The most frequent first."""
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        Failure(client_class, reason, len(outcomes), _examples(outcomes))
        for (client_class, reason), outcomes in ranked
    )


def _examples(outcomes: Sequence[Outcome]) -> tuple[Example, ...]:
    first = sorted(outcomes, key=lambda outcome: outcome.sent_at)[:EXAMPLES]
    return tuple(
        Example(
            id=outcome.id,
            sent_at=outcome.sent_at,
            done_at=outcome.done_at,
            pod=outcome.pod,
            version=outcome.version,
            connection=outcome.connection,
            age=outcome.age,
            reused=outcome.reused,
        )
        for outcome in first
    )


def _switch_json(switch: Switch) -> dict[str, object]:
    sights = {"all": switch.seen, **switch.by_class}
    return {
        "old": switch.old,
        "new": switch.new,
        "seen": {
            name: dataclasses.asdict(sight) | {"overlap": round(sight.overlap, 3)}
            for name, sight in sights.items()
        },
    }
