"""The state of every queue, read when Prometheus asks: the hot path pays nothing for it.

Labels are models and versions that are configured here, never what a request says.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_FAMILIES = {
    "slipway_queue_rows": "Rows that wait for a batch.",
    "slipway_queue_predicted_seconds": "Predicted time until all that waits is done.",
    "slipway_requests_in_flight": "Requests that wait or run.",
    "slipway_batch_token_budget": "Padded tokens that a batch may have; less after memory ran out.",
    "slipway_queue_pace": "Nine of ten requests are through within this multiple of their predicted time.",
    "slipway_run_overdue": "How late the run under way is: from 1 on it is stuck.",
}
_COSTS = "slipway_cost_seconds"
_LABELS = ("model", "version")


@dataclass(frozen=True, slots=True)
class QueueState:
    """One look at one queue. `costs` are seconds: per run, per token, per squared token."""

    rows: int
    predicted_seconds: float
    in_flight: int
    token_budget: int
    pace: float
    overdue: float
    costs: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A queue and what it is called. `look` is called from the thread of the probes."""

    model: str
    version: str
    look: Callable[[], QueueState]


class Queues(Collector):
    """All queues of the process."""

    def __init__(self) -> None:
        self._watched: dict[tuple[str, str], Watched] = {}
        self._lock = threading.Lock()

    def add(self, watched: Watched) -> None:
        """From now on this one is the queue of its model and version."""
        with self._lock:
            self._watched[watched.model, watched.version] = watched

    def remove(self, watched: Watched) -> None:
        """Forget it, unless another one has taken its place."""
        with self._lock:
            if self._watched.get((watched.model, watched.version)) is watched:
                del self._watched[watched.model, watched.version]

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            states = {key: watched.look() for key, watched in self._watched.items()}
        families = [GaugeMetricFamily(name, text, labels=_LABELS) for name, text in _FAMILIES.items()]
        costs = GaugeMetricFamily(
            _COSTS,
            "T(n, L) = run + token n L + token_squared n L^2: a run of n rows.",
            labels=[*_LABELS, "per"],
        )
        for key, state in states.items():
            values = (
                state.rows,
                state.predicted_seconds,
                state.in_flight,
                state.token_budget,
                state.pace,
                state.overdue,
            )
            for family, value in zip(families, values, strict=True):
                family.add_metric(key, value)
            for term, value in zip(("run", "token", "token_squared"), state.costs, strict=True):
                costs.add_metric([*key, term], value)
        return [*families, costs]
