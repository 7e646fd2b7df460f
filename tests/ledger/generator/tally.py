"""Live counts, kept beside the records so that each can be checked against the other."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict

from tests.ledger.generator.judging import Verdict


class Tally:
    """Counts by class, version and outcome, and the answers of the last whole second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent = 0
        self._done: Counter[tuple[str, str, str]] = Counter()
        self._seconds: dict[int, Counter[str]] = {}
        self._reasons: Counter[str] = Counter()

    def sent(self) -> None:
        """A request is about to be sent."""
        with self._lock:
            self._sent += 1

    def done(self, client_class: str, verdict: Verdict, *, at: float) -> None:
        """A request has its outcome; `at` in seconds since the epoch."""
        outcome = "served" if verdict.served else "failed"
        with self._lock:
            self._done[client_class, verdict.version, outcome] += 1
            self._second(int(at))[verdict.version if verdict.served else "failed"] += 1
            if not verdict.served:
                self._reasons[verdict.reason] += 1

    def snapshot(self, *, now: float) -> dict[str, object]:
        """Return the counts as a JSON object; `now` in seconds since the epoch."""
        with self._lock:
            done, sent, reasons = dict(self._done), self._sent, dict(self._reasons)
            last = dict(self._seconds.get(int(now) - 1, {}))
        failed = sum(count for (_, _, outcome), count in done.items() if outcome == "failed")
        return {
            "requests": sent,
            "in_flight": sent - sum(done.values()),
            "failed": failed,
            "reasons": reasons,
            "by_class": _nested(done),
            "last_second": {
                "failed": last.pop("failed", 0),
                "versions": last,
            },
        }

    def _second(self, second: int) -> Counter[str]:
        if second not in self._seconds:
            self._seconds = {old: counts for old, counts in self._seconds.items() if old > second - 5}
            self._seconds[second] = Counter()
        return self._seconds[second]


def _nested(done: dict[tuple[str, str, str], int]) -> dict[str, dict[str, dict[str, int]]]:
    tree: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for (client_class, version, outcome), count in done.items():
        tree[client_class][version][outcome] = count
    return tree
