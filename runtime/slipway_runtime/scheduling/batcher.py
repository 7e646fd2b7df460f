"""The queue of one model: rows of all requests in, batches to its one inference thread.

One task owns the queue and one thread owns the session, so neither needs a lock. A request may be
spread over many batches and is answered when its last row is done. Knows no HTTP and no text.
"""

import asyncio
import concurrent.futures
import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from slipway_runtime.engine.model import Answer, Row, RunControl
from slipway_runtime.scheduling import policy
from slipway_runtime.scheduling.calls import (
    Call,
    DeadlineExceededError,
    QueueFullError,
    RowFailedError,
    Spent,
)
from slipway_runtime.scheduling.costs import Costs
from slipway_runtime.scheduling.counts import Statistics
from slipway_runtime.telemetry.metrics import Metrics

RunRows = Callable[[Sequence[Row], RunControl], list[Answer]]

_log = structlog.get_logger("slipway.batcher")


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one request: an outcome a row, in order."""

    outcomes: tuple[Answer | RowFailedError, ...]
    spent: Spent


@dataclass(slots=True, eq=False)
class _Job:
    """One request: its answers as they come, in the order of its rows."""

    future: asyncio.Future[None]
    outcomes: list[Answer | RowFailedError | None]
    missing: int
    queued_at: float
    run_seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    job: _Job
    index: int
    row: Row
    waiting: policy.WaitingRow


@dataclass(slots=True)
class BatcherOptions:
    """The bounds of one queue and what is known about the model's cost."""

    limits: policy.Limits
    max_queue_rows: int
    costs: Costs


class Batcher:
    """Start with `start()`, feed with `run()`, end with `close()`; all on one event loop."""

    def __init__(self, run: RunRows, options: BatcherOptions, metrics: Metrics) -> None:
        self._run = run
        self._options = options
        self._metrics = metrics
        self._queue: list[_Waiting] = []
        self._arriving = 0
        self.statistics = Statistics()
        self._changed = asyncio.Event()
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._owner: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._owner = asyncio.create_task(self._serve(), name="batcher")

    async def close(self) -> None:
        """End the owner. Requests that still wait are cancelled."""
        if self._owner is not None:
            self._owner.cancel()
            await asyncio.gather(self._owner, return_exceptions=True)
        for row in self._queue:
            row.job.future.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    @contextlib.contextmanager
    def arrival(self) -> Iterator[None]:
        """Held from the moment a request is complete until its rows are queued, or it has failed."""
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1
            self._changed.set()

    def admit(self, rows: int, call: Call) -> None:
        """Raises QueueFullError when `rows` more would be too many. An empty queue takes any request."""
        waiting = len(self._queue)
        if waiting and waiting + rows > self._options.max_queue_rows:
            seconds = max(1, math.ceil(self._backlog_seconds()))
            raise QueueFullError(f"{waiting} rows are waiting already", retry_after=seconds)
        if call.deadline is not None and time.monotonic() >= call.deadline:
            raise DeadlineExceededError("the deadline had passed before the request was queued")

    async def run(self, rows: Sequence[Row], call: Call) -> Finished:
        """Queue the rows of one request and wait for them. Cancel it and they leave the queue.

        Raises QueueFullError or DeadlineExceededError.
        """
        self.admit(len(rows), call)
        now = time.monotonic()
        job = _Job(asyncio.get_running_loop().create_future(), [None] * len(rows), len(rows), now)
        for index, row in enumerate(rows):
            self._queue.append(_Waiting(job, index, row, policy.WaitingRow(tokens=row.length, queued_at=now)))
        self._queue_changed()
        try:
            async with asyncio.timeout(None if call.deadline is None else call.deadline - now):
                await job.future
        except TimeoutError:
            raise DeadlineExceededError("the deadline passed while the request waited") from None
        finally:
            self._drop(job)
        spent = Spent(time.monotonic() - now - job.run_seconds, job.run_seconds)
        self.statistics.count_request(spent, failed=False)
        return Finished(tuple(one for one in job.outcomes if one is not None), spent)

    async def _serve(self) -> None:
        while True:
            try:
                await self._step()
            except Exception:  # the owner must outlive any batch: without it every request would hang
                _log.exception("batcher_step_failed")
                await asyncio.sleep(0.05)

    async def _step(self) -> None:
        # One turn of the loop, so that requests which came in the same read are seen together.
        await asyncio.sleep(0)
        self._changed.clear()
        now = time.monotonic()
        waiting = [row.waiting for row in self._queue]
        decision = policy.decide(
            waiting,
            arriving=self._arriving,
            now=now,
            limits=self._options.limits,
            costs=self._options.costs,
        )
        match decision:
            case policy.Run(positions):
                await self._run_batch(self._take(positions), now)
            case policy.WaitUntil(until):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), until - now)
            case policy.Idle():
                await self._changed.wait()

    def _take(self, positions: tuple[int, ...]) -> list[_Waiting]:
        taken = [self._queue[position] for position in positions]
        gone = set(positions)
        self._queue = [row for position, row in enumerate(self._queue) if position not in gone]
        self._queue_changed()
        return taken

    async def _run_batch(self, batch: list[_Waiting], now: float) -> None:
        for row in batch:
            self._metrics.queue_seconds.observe(now - row.waiting.queued_at)
        self._metrics.batch_rows.observe(len(batch))
        self._metrics.count_tokens(
            real=sum(row.waiting.tokens for row in batch), padded=len(batch) * batch[-1].waiting.tokens
        )
        loop = asyncio.get_running_loop()
        try:
            with self._metrics.batch_seconds.time():
                outcomes = await loop.run_in_executor(
                    self._thread, _run_isolating, self._run, [row.row for row in batch]
                )
        except Exception as error:
            outcomes = [_Outcome(error=error)] * len(batch)
        took = time.monotonic() - now
        self.statistics.count_run(rows=len(batch), seconds=took, at=time.time())
        for job in {row.job for row in batch}:
            job.run_seconds += took
        for row, outcome in zip(batch, outcomes, strict=True):
            self._deliver(row, outcome)

    def _deliver(self, row: _Waiting, outcome: "_Outcome") -> None:
        job = row.job
        if job.future.done():  # its client has gone
            return
        job.outcomes[row.index] = (
            RowFailedError(row.index, outcome.error) if outcome.error else outcome.answer
        )
        job.missing -= 1
        if job.missing == 0:
            job.future.set_result(None)

    def _drop(self, job: _Job) -> None:
        self._queue = [row for row in self._queue if row.job is not job]
        self._queue_changed()

    def _queue_changed(self) -> None:
        self._metrics.queue_rows.set(len(self._queue))
        self._changed.set()

    def _backlog_seconds(self) -> float:
        costs = self._options.costs
        return sum(costs.of(1, row.waiting.tokens) for row in self._queue)


@dataclass(frozen=True, slots=True)
class _Outcome:
    answer: Answer | None = None
    error: Exception | None = field(default=None)


def _run_isolating(run: RunRows, rows: list[Row]) -> list[_Outcome]:
    """Run `rows`; when that fails, run their halves, so that a poisoned row fails alone."""
    try:
        return [_Outcome(answer=answer) for answer in run(rows, RunControl())]
    except Exception as error:
        if len(rows) == 1:
            return [_Outcome(error=error)]
        middle = len(rows) // 2
        return [*_run_isolating(run, rows[:middle]), *_run_isolating(run, rows[middle:])]
