"""What was measured, a line a measurement: appended at once, so that a run that was cut short goes on.

Knows no server and no statistics.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What a record is about."""

    LOAD = "load"  # rate, p50, p99 (ms), failed, at `connections`
    START = "start"  # seconds, from exec to the first answer
    IDLE = "idle"  # cpu_percent
    MEMORY = "memory"  # mb, after the load of a round
    LIMIT = "limit"  # alone, sorted: rows a second without a server
    OVERLOAD = "overload"
    FAIRNESS = "fairness"


@dataclass(frozen=True, slots=True)
class Key:
    """What was measured: when (the round), on which model, and of whom."""

    kind: Kind
    round: int
    model: str
    server: str
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One measurement."""

    key: Key
    values: Mapping[str, float]


class Records:
    """The records of one run, in memory and in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._records: dict[Key, Record] = {}
        if file.exists():
            self._records = {record.key: record for record in map(_read, file.read_text().splitlines())}

    def __contains__(self, key: Key) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def add(self, key: Key, values: Mapping[str, float]) -> None:
        """Keep a measurement, on the disk too."""
        record = Record(key, values)
        self._records[key] = record
        with self._file.open("a") as lines:
            lines.write(json.dumps(asdict(record)) + "\n")

    def values(self, kind: Kind, name: str, **wanted: object) -> dict[int, float]:
        """One value of all rounds, by round; `wanted` are fields of the key."""
        return {
            record.key.round: record.values[name]
            for record in self
            if record.key.kind is kind and all(getattr(record.key, key) == it for key, it in wanted.items())
        }

    def rates(self, model: str, server: str, connections: int) -> dict[int, float]:
        """Answers a second, by round."""
        return self.values(Kind.LOAD, "rate", model=model, server=server, connections=connections)


def _read(line: str) -> Record:
    found = json.loads(line)
    key = found["key"]
    return Record(Key(**{**key, "kind": Kind(key["kind"])}), found["values"])
