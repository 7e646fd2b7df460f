"""What load to make: how many clients of each class, and how each class paces itself.

Knows nothing of sockets. The text form (`fast=4,slow=8`, `fast=20/s,slow=0-4s`) is the contract between the
driver and the pods.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ClientClass(StrEnum):
    """How a client treats its connection."""

    FAST = "fast"  # keep-alive, never looks at the socket before it reuses it
    SLOW = "slow"  # the same, thinking for seconds between two requests
    POOL = "pool"  # httpx: looks whether the peer has closed before it reuses
    NEW = "new"  # a connection a request
    UPLOAD = "upload"  # a connection a request, its body sent in pieces over seconds


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second from each client, evenly but for a jitter of half an interval."""

    per_second: float

    def pause(self, chance: random.Random, elapsed: float) -> float:
        """Return the seconds to wait after an exchange that took `elapsed`; never catches up with a burst."""
        return max(0.0, chance.uniform(0.5, 1.5) / self.per_second - elapsed)

    def __str__(self) -> str:
        return f"{self.per_second:g}/s"


@dataclass(frozen=True, slots=True)
class Think:
    """A pause between two requests, uniform between two bounds in seconds."""

    low: float
    high: float

    def pause(self, chance: random.Random, elapsed: float) -> float:  # noqa: ARG002
        """Return the seconds to think; the exchange before does not shorten them."""
        return chance.uniform(self.low, self.high)

    def __str__(self) -> str:
        return f"{self.low:g}-{self.high:g}s"


Pace = Rate | Think

DEFAULT_CLIENTS: Mapping[ClientClass, int] = {
    ClientClass.FAST: 4,
    ClientClass.SLOW: 8,
    ClientClass.POOL: 4,
    ClientClass.NEW: 3,
    ClientClass.UPLOAD: 2,
}
DEFAULT_PACES: Mapping[ClientClass, Pace] = {
    ClientClass.FAST: Rate(45),
    ClientClass.SLOW: Think(0, 4),
    ClientClass.POOL: Rate(10),
    ClientClass.NEW: Rate(15),
    ClientClass.UPLOAD: Think(0, 1),
}


@dataclass(frozen=True, slots=True)
class Load:
    """The load of ONE generator. It always ends: by time, by number of requests, or by being stopped."""

    clients: Mapping[ClientClass, int] = field(default_factory=lambda: dict(DEFAULT_CLIENTS))
    paces: Mapping[ClientClass, Pace] = field(default_factory=dict)
    seed: int = 1
    max_seconds: float = 600.0
    max_requests: int = 500_000

    def pace(self, client_class: ClientClass) -> Pace:
        """Return the pace given for this class, else its default."""
        return self.paces.get(client_class) or DEFAULT_PACES[client_class]

    def clients_text(self) -> str:
        """Return the clients in the form that `parse_clients` reads."""
        return ",".join(f"{name}={count}" for name, count in self.clients.items())

    def paces_text(self) -> str:
        """Return the paces in the form that `parse_paces` reads."""
        return ",".join(f"{name}={pace}" for name, pace in self.paces.items())


def parse_clients(text: str) -> dict[ClientClass, int]:
    """Read `fast=4,slow=8`. Raises ValueError that names the item."""
    clients = {ClientClass(name): int(count) for name, count in _pairs(text)}
    if negative := [name for name, count in clients.items() if count < 0]:
        raise ValueError(f"{negative[0]}: a number of clients cannot be negative")
    if not sum(clients.values()):
        raise ValueError("no client at all: a ledger without requests proves nothing")
    return clients


def parse_paces(text: str) -> dict[ClientClass, Pace]:
    """Read `fast=20/s,slow=0-4s`. Raises ValueError that names the item."""
    return {ClientClass(name): parse_pace(pace) for name, pace in _pairs(text)}


def parse_pace(text: str) -> Pace:
    """Read `20/s` (requests a second and client) or `0-4s` (seconds to think)."""
    if text.endswith("/s"):
        return _rate(float(text.removesuffix("/s")), text)
    low, dash, high = text.removesuffix("s").partition("-")
    if not dash or not text.endswith("s"):
        raise ValueError(f"{text!r} is no pace: write 20/s (requests a second) or 0-4s (time to think)")
    return _think(float(low), float(high), text)


def _rate(per_second: float, text: str) -> Rate:
    if not per_second > 0:
        raise ValueError(f"{text!r}: a rate must be above zero")
    return Rate(per_second)


def _think(low: float, high: float, text: str) -> Think:
    if not 0 <= low <= high:
        raise ValueError(f"{text!r}: the time to think goes from a lower to a higher number")
    return Think(low, high)


def _pairs(text: str) -> list[tuple[str, str]]:
    items = [item.strip().partition("=") for item in text.split(",") if item.strip()]
    if wrong := [name for name, equals, _ in items if not equals]:
        raise ValueError(f"{wrong[0]!r}: expected name=value")
    return [(name, value) for name, _, value in items]
