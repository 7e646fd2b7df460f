"""Requests as the queue knows them: rows that wait one by one, and are answered together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from slipway_runtime.engine.model import Answer, Row
from slipway_runtime.scheduling.calls import Call, RowFailedError, Spent
from slipway_runtime.scheduling.execution import Execution, Outcome


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one request: an outcome a row, in order, and where its time went."""

    outcomes: tuple[Answer | RowFailedError, ...]
    spent: Spent

    @property
    def whole(self) -> bool:
        return not any(isinstance(outcome, RowFailedError) for outcome in self.outcomes)


class WaitingRow:
    """One row of a request in the queue. There are thousands: no more than the policy must know."""

    __slots__ = ("index", "job", "kind", "length", "queued_at", "round", "row")

    def __init__(self, job: "Job", index: int, row: Row) -> None:
        self.job = job
        self.index = index
        self.row = row
        self.length = row.length
        self.kind = row.kind
        self.queued_at = job.queued_at
        self.round = 0


class Job:
    """One request. Its future is done when its last row has an outcome, or when it has been given up."""

    __slots__ = (
        "_counted",
        "_missing",
        "_outcomes",
        "call",
        "future",
        "predicted",
        "queued_at",
        "rows",
        "run_seconds",
    )

    def __init__(self, rows: Sequence[Row], call: Call, future: asyncio.Future[None], now: float) -> None:
        self.call = call
        self.future = future
        self.queued_at = now
        self.predicted = 0.0
        self.run_seconds = 0.0
        self.rows = [WaitingRow(self, index, row) for index, row in enumerate(rows)]
        self._outcomes: list[Answer | RowFailedError | None] = [None] * len(rows)
        self._missing = len(rows)
        self._counted: Execution | None = None

    def deliver(self, index: int, outcome: Outcome, execution: Execution) -> None:
        """One row of it has come out of `execution`."""
        if self.future.done():  # its caller has gone
            return
        if self._counted is not execution:
            self._counted = execution
            self.run_seconds += execution.seconds
        self._outcomes[index] = RowFailedError(index, outcome) if isinstance(outcome, Exception) else outcome
        self._missing -= 1
        if self._missing == 0:
            self.future.set_result(None)

    def finished(self, now: float) -> Finished:
        """When the future is done."""
        outcomes = tuple(outcome for outcome in self._outcomes if outcome is not None)
        waited = max(0.0, now - self.queued_at - self.run_seconds)
        return Finished(outcomes, Spent(queue_seconds=waited, run_seconds=self.run_seconds))
