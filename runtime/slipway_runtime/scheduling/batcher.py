"""The queue of one version: requests in, an outcome for each of their rows out.

Who may enter, until when they wait, and what they are told; what runs when is the dispatcher's.
Knows no protocol and not what rows are made of.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from slipway_runtime.engine.model import Clock, Row
from slipway_runtime.scheduling import policy
from slipway_runtime.scheduling.admission import NOTHING_AHEAD, Admission, Prospect, QueueLimits
from slipway_runtime.scheduling.calls import Call, ClosedError, DeadlineExceededError, Lane
from slipway_runtime.scheduling.costs import Costs, Estimate, Load
from slipway_runtime.scheduling.counts import Statistics
from slipway_runtime.scheduling.dispatcher import Batch, Dispatcher, DispatcherOptions
from slipway_runtime.scheduling.execution import RunRows
from slipway_runtime.scheduling.jobs import Finished, Job
from slipway_runtime.scheduling.turns import Pending, Turns
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.telemetry.queues import QueueState, Watched

# Requests of more rows wait for other rounds too, so they say little about the predictions.
_TELLING_ROWS = 4
_NOT_SERVED = "this version is not served any more"


@dataclass(frozen=True, slots=True)
class BatcherOptions:
    """The bounds of one queue, what is known about the model's cost, and whom it shares the machine with."""

    limits: policy.Limits
    estimate: Estimate
    queue: QueueLimits
    max_run_seconds: float = 60.0
    inline_seconds: float = 0.0015
    aside_seconds: float = 0.0
    turns: Turns = field(default_factory=Turns)
    clock: Clock = time.perf_counter
    model: str = ""
    version: str = ""


class Batcher:
    """Feed with `admit()` and `run()`, end with `close()`; all on the event loop that it was made on."""

    def __init__(self, run: RunRows, options: BatcherOptions, metrics: Metrics) -> None:
        self.statistics = Statistics()
        self._options = options
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._admission = Admission(options.queue)
        self._dispatcher = Dispatcher(
            run,
            DispatcherOptions(
                limits=options.limits,
                estimate=options.estimate,
                max_run_seconds=options.max_run_seconds,
                inline_seconds=options.inline_seconds,
                aside_seconds=options.aside_seconds,
                turns=options.turns,
                clock=options.clock,
                name=f"{options.model} {options.version}",
            ),
            self._deliver,
        )
        self._in_flight = 0
        self._closed = False
        self._watched = Watched(options.model, options.version, self._state)
        metrics.queues.add(self._watched)
        options.turns.join(self)

    @contextlib.contextmanager
    def arrival(self) -> Iterator[None]:
        """Held from the moment a request is complete until its rows are queued, or it has failed."""
        self._dispatcher.arrive(1)
        try:
            yield
        finally:
            self._dispatcher.arrive(-1)

    def admit(self, rows: int, call: Call) -> float:
        """Let a request of `rows` rows in, before the work of making them.

        Returns the predicted seconds until it is answered, 0 when nothing is before it. Raises
        QueueFullError, DeadlineExceededError or ClosedError.
        """
        if self._closed:
            raise ClosedError(_NOT_SERVED)
        now = time.monotonic()
        free = self._dispatcher.idle and self._options.turns.free
        prospect = NOTHING_AHEAD if free else self._prospect(rows, call.lane, now)
        time_left = None if call.deadline is None else call.deadline - now
        self._admission.check(rows, prospect, time_left=time_left)
        return prospect.answer_seconds

    async def run(self, rows: Sequence[Row], call: Call, *, predicted: float) -> Finished:
        """Queue the rows of one request and wait for them. Cancel it and they leave the queue.

        `predicted` is what `admit` said. Raises DeadlineExceededError or ClosedError.
        """
        if self._closed:
            raise ClosedError(_NOT_SERVED)
        now = time.monotonic()
        job = Job(rows, call, self._loop.create_future(), now)
        job.predicted = predicted
        self._dispatcher.add(job.rows, call.lane)
        self._in_flight += 1
        expiry = None if call.deadline is None else self._loop.call_later(call.deadline - now, _expire, job)
        try:
            await job.future
        except BaseException as error:
            self._give_up(job, error)
            raise
        finally:
            self._in_flight -= 1
            if expiry is not None:
                expiry.cancel()
        return self._finish(job)

    def overdue(self, now: float) -> float:
        """How late the run under way is, as a multiple of what it was given: from 1 on it is stuck.

        Safe in any thread. `now` is monotonic.
        """
        return self._dispatcher.overdue(now)

    def pending(self, now: float) -> Pending:
        """What the other versions of the process have to reckon with. `now` is monotonic."""
        batch, load = self._dispatcher.batch, self._dispatcher.lanes.waiting(Lane.BULK)
        running = None if batch is None else batch.left(now)
        return Pending(running, batches=self._batches(load), seconds=self._seconds(load))

    async def close(self) -> None:
        """End the thread after its run. What waits fails with ClosedError."""
        if not self._closed:
            self._options.turns.leave(self)
        self._closed = True
        self._metrics.queues.remove(self._watched)
        for row in await self._dispatcher.close():
            if not row.job.future.done():
                row.job.future.set_exception(ClosedError(_NOT_SERVED))

    @property
    def _costs(self) -> Costs:
        return self._options.estimate.costs

    def _prospect(self, rows: int, lane: Lane, now: float) -> Prospect:
        lanes, batch = self._dispatcher.lanes, self._dispatcher.batch
        running = 0.0 if batch is None else batch.left(now)
        waiting, ahead = lanes.waiting(lane), lanes.ahead_of(rows, lane)
        others = self._options.turns.before
        return Prospect(
            waiting_rows=waiting.rows,
            waiting_seconds=running + self._seconds(waiting) + others(self, self._batches(waiting), now),
            answer_seconds=running
            + self._seconds(ahead)
            + others(self, self._batches(ahead) + 1, now)
            + self._dispatcher.usual_run,
        )

    def _seconds(self, load: Load) -> float:
        return self._costs.least(load, max_rows=self._options.limits.max_rows)

    def _batches(self, load: Load) -> int:
        return -(-load.rows // self._options.limits.max_rows)

    def _deliver(self, batch: Batch) -> None:
        rows, execution = batch.rows, batch.execution
        for row, outcome in zip(rows, execution.outcomes, strict=True):
            row.job.deliver(row.index, outcome, execution)
        self._count(batch)

    def _count(self, batch: Batch) -> None:
        rows, seconds = batch.rows, batch.execution.seconds
        self.statistics.count_run(rows=len(rows), seconds=seconds, at=time.time())
        self._metrics.batch_rows.observe(len(rows))
        self._metrics.batch_seconds.observe(seconds)
        self._metrics.count_tokens(real=sum(row.length for row in rows), padded=len(rows) * rows[-1].length)
        for row in rows:
            self._metrics.queue_seconds.observe(batch.began - row.queued_at)

    def _finish(self, job: Job) -> Finished:
        now = time.monotonic()
        finished = job.finished(now)
        self.statistics.count_request(finished.spent, failed=not finished.whole)
        if len(job.rows) <= _TELLING_ROWS and job.call.lane is Lane.INTERACTIVE:
            self._admission.learn(predicted=job.predicted, took=now - job.queued_at, answered=True)
        return finished

    def _give_up(self, job: Job, error: BaseException) -> None:
        took = time.monotonic() - job.queued_at
        self._dispatcher.give_up(job.rows, job.call.lane)
        self.statistics.count_failure(took)
        if isinstance(error, DeadlineExceededError):
            self._admission.learn(predicted=job.predicted, took=took, answered=False)

    def _state(self) -> QueueState:
        costs = self._costs
        load = self._dispatcher.lanes.waiting(Lane.BULK)
        return QueueState(
            rows=load.rows,
            predicted_seconds=self._seconds(load) * self._admission.pace,
            in_flight=self._in_flight,
            token_budget=self._dispatcher.budget.tokens,
            pace=self._admission.pace,
            overdue=self._dispatcher.overdue(time.monotonic()),
            costs=(costs.per_run, costs.per_token, costs.per_token_squared),
        )


def _expire(job: Job) -> None:
    if not job.future.done():
        job.future.set_exception(DeadlineExceededError("the deadline passed before there was an answer"))
