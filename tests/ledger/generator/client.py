"""One client: a thread that asks, writes down what came of it, and pauses. It never asks a thing twice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.ledger.generator import asking, connections, judging
from tests.ledger.generator.journal import Journal
from tests.ledger.generator.load import ClientClass, Pace
from tests.ledger.generator.tally import Tally


class Budget:
    """The requests and the time that all clients of a generator share."""

    def __init__(self, requests: int) -> None:
        self.over = threading.Event()
        self._left = requests
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one request; False when there is none left or the load is over."""
        with self._lock:
            if self._left <= 0:
                self.over.set()
            if self.over.is_set():
                return False
            self._left -= 1
            return True


@dataclass(frozen=True, slots=True)
class Desk:
    """What the clients of one generator share."""

    journal: Journal
    tally: Tally
    budget: Budget
    timeout: float
    broken: Callable[[Exception], None]


class Client(threading.Thread):
    """A client with a connection state of its own; `sent` counts what it has written as an intent."""

    def __init__(
        self,
        name: str,
        client_class: ClientClass,
        pace: Pace,
        *,
        desk: Desk,
        chance: random.Random,
        poster: connections.Poster,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.sent = 0
        self._class = client_class
        self._pace = pace
        self._desk = desk
        self._chance = chance
        self._poster = poster

    def run(self) -> None:
        """Work until the budget is used up or taken away."""
        over = self._desk.budget.over
        over.wait(self._chance.uniform(0, 0.5))  # the clients do not march in step
        try:
            while self._desk.budget.take():
                over.wait(self._pace.pause(self._chance, self._exchange()))
        except Exception as error:
            self._desk.broken(error)
        finally:
            self._poster.close()

    def _exchange(self) -> float:
        """Send one request and record it; returns the seconds it took."""
        self.sent += 1
        request = asking.ask(f"{self.name}/{self.sent}", self._chance)
        sent_at, begun = time.time(), time.monotonic()
        who = {"id": request.id, "client": self.name, "class": self._class.value, "seq": self.sent}
        self._desk.tally.sent()
        self._desk.journal.append("intent", {**who, "sent_at": round(sent_at, 6)})
        answer, verdict = self._try(request)
        elapsed = time.monotonic() - begun
        verdict = self._in_time(verdict, elapsed)
        done_at = sent_at + elapsed
        self._desk.journal.append(
            "outcome",
            who
            | _outcome(answer, verdict)
            | {
                "sent_at": round(sent_at, 6),
                "done_at": round(done_at, 6),
                "connection": self._connection(begun),
            },
        )
        self._desk.tally.done(self._class.value, verdict, at=done_at)
        return elapsed

    def _try(self, request: asking.Request) -> tuple[judging.Answer | None, judging.Verdict]:
        try:
            answer = self._poster.post(request)
        except Exception as error:
            return None, judging.Verdict(judging.explain(error), "")
        return answer, judging.judge(request, answer)

    def _in_time(self, verdict: judging.Verdict, elapsed: float) -> judging.Verdict:
        """The socket's timeout bounds each wait, not their sum."""
        if verdict.served and elapsed > self._desk.timeout:
            return judging.Verdict("timeout of the whole exchange", verdict.version)
        return verdict

    def _connection(self, begun: float) -> dict[str, object]:
        connection = self._poster.connection
        age = begun - connection.opened if connection.reused else 0.0
        return {"id": f"{self.name}#{connection.number}", "age": round(age, 3), "reused": connection.reused}


def _outcome(answer: judging.Answer | None, verdict: judging.Verdict) -> dict[str, object]:
    return {
        "outcome": "served" if verdict.served else "failed",
        "reason": verdict.reason,
        "status": answer.status if answer else None,
        "version": verdict.version,
        "pod": answer.pod if answer else "",
        "bytes": len(answer.body) if answer else 0,
    }
