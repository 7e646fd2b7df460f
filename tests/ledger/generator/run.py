"""One run of a generator: wait for the target, start the clients, end them, and close the records."""

from __future__ import annotations

import random
import socket
import threading
import time
from enum import StrEnum

from tests.ledger.generator import connections
from tests.ledger.generator.client import Budget, Client, Desk
from tests.ledger.generator.journal import Journal
from tests.ledger.generator.load import ClientClass
from tests.ledger.generator.settings import Settings
from tests.ledger.generator.tally import Tally


class State(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"  # for the target to accept a first connection
    RUNNING = "running"
    STOPPING = "stopping"  # no new request; what is in flight finishes
    DONE = "done"  # every record is in the file, the last line is the end
    BROKEN = "broken"  # a record could not be written: there will be no end


class Run:
    """A run in a thread of its own, so that records and counts can be read meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self.journal = Journal(settings.records)
        self._settings = settings
        self._tally = Tally()
        self._budget = Budget(settings.load.max_requests)
        self._state = State.WAITING
        self._broken = ""
        self._why = "requests"
        self._clients = self._hire()
        self._thread = threading.Thread(target=self._work, name="run", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, why: str = "stopped") -> None:
        """Send nothing more. What is in flight gets its answer and its record. Safe to call again."""
        if not self._budget.over.is_set():
            self._why = why
        self._budget.over.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; True when the run is over, well or not."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def state(self) -> State:
        """Where the run stands now."""
        if self._state is State.RUNNING and self._budget.over.is_set():
            return State.STOPPING
        return self._state

    def counts(self) -> dict[str, object]:
        """Return the live counts, and how many bytes of records there are."""
        counts = self._tally.snapshot(now=time.time())
        facts = {"generator": self._settings.name, "state": self.state, "broken": self._broken}
        return facts | counts | {"records_bytes": self.journal.size()}

    def _hire(self) -> list[Client]:
        desk = Desk(self.journal, self._tally, self._budget, self._settings.timeout, self._break)
        return [
            self._client(client_class, number, desk)
            for client_class, count in self._settings.load.clients.items()
            for number in range(count)
        ]

    def _client(self, client_class: ClientClass, number: int, desk: Desk) -> Client:
        settings = self._settings
        name = f"{settings.name}/{client_class}-{number}"
        chance = random.Random(f"{settings.load.seed} {name}")  # noqa: S311
        way = connections.poster(client_class, settings.target, timeout=settings.timeout, chance=chance)
        pace = settings.load.pace(client_class)
        return Client(name, client_class, pace, desk=desk, chance=chance, poster=way)

    def _work(self) -> None:
        try:
            self._begin()
            self._lead()
            self._end()
        except Exception as error:
            self._break(error)

    def _begin(self) -> None:
        """A brand-new Service refuses connections until the node knows it: that is no client's failure."""
        waited = _reachable(self._settings, self._budget.over)
        self.journal.append(
            "start",
            {
                "generator": self._settings.name,
                "at": time.time(),
                "target": self._settings.target.url,
                "waited": waited,
                "clients": [client.name for client in self._clients],
            },
        )

    def _lead(self) -> None:
        self._state = State.RUNNING
        for client in self._clients:
            client.start()
        if not self._budget.over.wait(self._settings.load.max_seconds):
            self.stop("time")
        for client in self._clients:
            client.join()

    def _end(self) -> None:
        if self._broken:
            return
        self.journal.append(
            "end",
            {
                "generator": self._settings.name,
                "at": time.time(),
                "why": self._why,
                "sent": {client.name: client.sent for client in self._clients},
            },
        )
        self.journal.sync()
        self._state = State.DONE

    def _break(self, error: Exception) -> None:
        self._broken = f"{type(error).__name__}: {error}"
        self._state = State.BROKEN
        self._budget.over.set()


def _reachable(settings: Settings, over: threading.Event) -> float | None:
    """Wait until the target accepts a connection; returns the seconds waited, None when it never did."""
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) <= settings.reachable_within and not over.is_set():
        try:
            with socket.create_connection((settings.target.host, settings.target.port), timeout=1):
                return round(waited, 3)
        except OSError:
            over.wait(0.2)
    return None
