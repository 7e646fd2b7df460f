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
from slipway_runtime.scheduling.costs import Costs
from slipway_runtime.telemetry.metrics import Metrics

RunRows = Callable[[Sequence[Row], RunControl], list[Answer]]

_log = structlog.get_logger("slipway.batcher")


class QueueFullError(Exception):
    """Too many rows wait already. `retry_after` is the predicted time in seconds until they are done."""

    def __init__(self, *, waiting: int, retry_after: int) -> None:
        super().__init__(f"{waiting} rows are waiting already")
        self.retry_after = retry_after


@dataclass(slots=True, eq=False)
class _Job:
    """One request: its answers as they come, in the order of its rows."""

    future: asyncio.Future[list[Answer]]
    answers: list[Answer | None]
    missing: int


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
    """Start with `start()`, feed with `enqueue()`, end with `stop()`; all on one event loop."""

    def __init__(self, run: RunRows, options: BatcherOptions, metrics: Metrics) -> None:
        self._run = run
        self._options = options
        self._metrics = metrics
        self._queue: list[_Waiting] = []
        self._arriving = 0
        self._changed = asyncio.Event()
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._owner: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._owner = asyncio.create_task(self._serve(), name="batcher")

    async def stop(self) -> None:
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

    def admit(self, rows: int) -> None:
        """Raises QueueFullError when `rows` more would be too many. An empty queue takes any request."""
        waiting = len(self._queue)
        if waiting and waiting + rows > self._options.max_queue_rows:
            raise QueueFullError(waiting=waiting, retry_after=max(1, math.ceil(self._backlog_seconds())))

    def enqueue(self, rows: Sequence[Row]) -> asyncio.Future[list[Answer]]:
        """Queue the rows of one request. The future has the answer of each, in order.

        Cancel it and what has not begun leaves the queue. Raises QueueFullError.
        """
        self.admit(len(rows))
        job = _Job(asyncio.get_running_loop().create_future(), [None] * len(rows), len(rows))
        now = time.monotonic()
        for index, row in enumerate(rows):
            self._queue.append(_Waiting(job, index, row, policy.WaitingRow(tokens=row.length, queued_at=now)))
        job.future.add_done_callback(self._forget_if_cancelled)
        self._queue_changed()
        return job.future

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
        for row, outcome in zip(batch, outcomes, strict=True):
            self._deliver(row, outcome)

    def _deliver(self, row: _Waiting, outcome: "_Outcome") -> None:
        job = row.job
        if job.future.done():  # its client has gone, or another of its rows failed
            return
        if outcome.error is not None:
            job.future.set_exception(outcome.error)
            self._drop(job)
            return
        job.answers[row.index] = outcome.answer
        job.missing -= 1
        if job.missing == 0:
            job.future.set_result([answer for answer in job.answers if answer is not None])

    def _forget_if_cancelled(self, future: asyncio.Future[list[Answer]]) -> None:
        if future.cancelled():
            self._queue = [row for row in self._queue if row.job.future is not future]
            self._queue_changed()

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
