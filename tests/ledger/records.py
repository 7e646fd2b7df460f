"""The lines of a ledger as values. Knows the form of a line, not what several of them mean together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from sys import intern


@dataclass(frozen=True, slots=True)
class Start:
    """A generator begins; `waited` is None when the target never accepted a first connection."""

    generator: str
    at: float
    waited: float | None


@dataclass(frozen=True, slots=True)
class Intent:
    """A client is about to send its request number `seq` (from 1)."""

    client: str
    seq: int
    sent_at: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request. Times in seconds since the epoch, `age` of its connection in seconds."""

    id: str
    client: str
    client_class: str
    seq: int
    sent_at: float
    done_at: float
    served: bool
    reason: str
    status: int | None
    version: str
    pod: str
    size: int
    connection: str
    age: float
    reused: bool

    @property
    def latency(self) -> float:
        """Seconds from the first byte sent to the last received."""
        return self.done_at - self.sent_at


@dataclass(frozen=True, slots=True)
class End:
    """A generator has finished; `sent` is each client's own count."""

    generator: str
    at: float
    sent: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that is none of the above: cut off, or not ours."""

    text: str


Record = Start | Intent | Outcome | End | Damaged


def read(lines: Iterable[str]) -> Iterator[Record]:
    """Parse line by line; a line that cannot be read becomes a `Damaged`, never an exception."""
    for line in lines:
        try:
            yield _record(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            yield Damaged(line.rstrip("\n")[:200])


def read_file(path: Path) -> Iterator[Record]:
    """Parse one generator's file."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        yield from read(lines)


def _record(line: dict[str, object]) -> Record:
    match line:
        case {"kind": "intent", "client": str(client), "seq": int(seq), "sent_at": int() | float() as at}:
            return Intent(intern(client), seq, at)
        case {"kind": "outcome"}:
            return _outcome(line)
        case {"kind": "start", "generator": str(name), "at": float(at), "waited": float() | None as waited}:
            return Start(name, at, waited)
        case {"kind": "end", "generator": str(name), "at": float(at), "sent": dict(sent)}:
            return End(name, at, {str(client): int(count) for client, count in sent.items()})
    return Damaged(json.dumps(line)[:200])


def _outcome(line: dict[str, object]) -> Outcome | Damaged:
    match line:
        case {
            "id": str(id_),
            "client": str(client),
            "class": str(client_class),
            "seq": int(seq),
            "sent_at": int() | float() as sent_at,
            "done_at": int() | float() as done_at,
            "outcome": "served" | "failed" as outcome,
            "reason": str(reason),
            "status": int() | None as status,
            "version": str(version),
            "pod": str(pod),
            "bytes": int(size),
            "connection": {"id": str(connection), "age": int() | float() as age, "reused": bool(reused)},
        }:
            # A soak has millions of these: each repeated word is kept once.
            return Outcome(
                id=id_,
                client=intern(client),
                client_class=intern(client_class),
                seq=seq,
                sent_at=sent_at,
                done_at=done_at,
                served=outcome == "served",
                reason=intern(reason),
                status=status,
                version=intern(version),
                pod=intern(pod),
                size=size,
                connection=connection,
                age=age,
                reused=reused,
            )
    return Damaged(json.dumps(line)[:200])
