"""One version's session kept busy: what waits is cut into batches, and each is run and handed back.

Decides nothing itself: the lanes say who is due, the policy what runs together, the turns when.
Everything happens on one event loop but for the runs. Knows requests only as owners of rows.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from slipway_runtime.engine.model import Clock
from slipway_runtime.scheduling import policy
from slipway_runtime.scheduling.calls import Lane
from slipway_runtime.scheduling.costs import Estimate
from slipway_runtime.scheduling.execution import Execution, RunRows, TokenBudget
from slipway_runtime.scheduling.jobs import WaitingRow
from slipway_runtime.scheduling.lanes import Lanes
from slipway_runtime.scheduling.turns import Turns
from slipway_runtime.scheduling.worker import Worker

# A run is late beyond this many times its prediction, but never before so many seconds.
_LATE_FACTOR, _LATE_SECONDS = 20, 10.0
_WATCH_SECONDS = 1.0
_LAST_RUN_SECONDS = 5.0
_AFTER_BUG_SECONDS = 0.05
_USUAL_WEIGHT = 0.1

_log = structlog.get_logger("slipway.dispatcher")


@dataclass(frozen=True, slots=True)
class DispatcherOptions:
    """The bounds of a batch, what one costs, and whom the machine is shared with.

    A run that is predicted to take less than `inline_seconds` is not handed to the thread and back.
    While one is in the thread the loop looks at what has come every `aside_seconds` only: on a single
    processor each look interrupts the run, and costs several times what it does among others.
    """

    limits: policy.Limits
    estimate: Estimate
    max_run_seconds: float = 60.0
    inline_seconds: float = 0.0015
    aside_seconds: float = 0.0
    turns: Turns = field(default_factory=Turns)
    clock: Clock = time.perf_counter
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows that run together. `began` is monotonic, `predicted` in seconds."""

    rows: Sequence[WaitingRow]
    execution: Execution
    began: float
    predicted: float

    def overdue(self, now: float) -> float:
        return (now - self.began) / max(_LATE_SECONDS, _LATE_FACTOR * self.predicted)

    def left(self, now: float) -> float:
        """Seconds until it should end."""
        return max(0.0, self.began + self.predicted - now)

    def wanted(self) -> bool:
        """Whether anybody still waits for any of it."""
        return any(not row.job.future.done() for row in self.rows)


Done = Callable[[Batch], None]


class Dispatcher:
    """`add` rows; `done` is called with each batch that has ended, when the next is on its way."""

    def __init__(self, run: RunRows, options: DispatcherOptions, done: Done) -> None:
        self.lanes: Lanes[WaitingRow] = Lanes()
        self.budget = TokenBudget(options.limits.max_tokens)
        self.batch: Batch | None = None
        self.usual_run = 0.0  # seconds: how long runs take lately
        self._run = run
        self._options = options
        self._done = done
        self._limits = options.limits
        self._loop = asyncio.get_running_loop()
        self._worker = Worker(self._loop, self._ended, name=f"inference {options.name}")
        self._turn = self._next  # one object: the turns know us by it
        self._free = asyncio.Event()
        self._arriving = 0
        self._closed = False
        self._looking = False
        self._linger: asyncio.TimerHandle | None = None
        self._watching = False
        self._told: Batch | None = None  # the stuck one that has been logged

    def add(self, rows: Sequence[WaitingRow], lane: Lane) -> None:
        self.lanes.add(rows, lane)
        self._look_soon()

    def give_up(self, rows: Sequence[WaitingRow], lane: Lane) -> None:
        """Nobody waits for these rows any more. A run that nobody waits for is ended."""
        self.lanes.remove(rows, lane)
        if self.batch is not None and not self.batch.wanted():
            self.batch.execution.abort()

    def arrive(self, difference: int) -> None:
        """So many more (or fewer) requests are on their way."""
        self._arriving += difference
        if difference < 0:
            self._look_soon()

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return self.batch is None and not self.lanes.rows

    def overdue(self, now: float) -> float:
        """How late the run under way is, as a multiple of what it was given. Safe in any thread."""
        batch = self.batch
        return 0.0 if batch is None else batch.overdue(now)

    async def close(self) -> list[WaitingRow]:
        """Start no further run, and end the thread. Returns what has not begun."""
        self._closed = True
        left = self.lanes.clear()
        if self.batch is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._free.wait(), _LAST_RUN_SECONDS)
        if self.batch is not None:
            self.batch.execution.abort()
        self._worker.stop()
        self._options.turns.give(self._turn)
        return left

    def _look_soon(self) -> None:
        """At the end of this turn of the loop, so that requests of one read are seen together."""
        if not self._looking and self.batch is None:
            self._looking = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._looking = False
        self._next()

    def _next(self) -> None:
        """Begin what is due, if anything is. Never raises: nothing would be begun ever after."""
        if self.batch is not None or self._closed:
            return
        try:
            self._decide()
        except Exception:
            _log.exception("dispatch_failed")
            self._options.turns.give(self._turn)
            self._loop.call_later(_AFTER_BUG_SECONDS, self._look_soon)

    def _decide(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        now = time.monotonic()
        window = self.lanes.first(self._limits.max_rows * policy.WINDOW_BATCHES)
        match policy.decide(
            window, arriving=self._arriving, now=now, limits=self._limits, costs=self._options.estimate.costs
        ):
            case policy.Run(positions):
                if self._options.turns.take(self._turn):
                    self._begin([window[position] for position in positions], now)
                return
            case policy.WaitUntil(until):
                self._linger = self._loop.call_later(until - now, self._look_soon)
        self._options.turns.give(self._turn)

    def _begin(self, rows: list[WaitingRow], now: float) -> None:
        self.lanes.take(rows)
        execution = Execution(self._run, [row.row for row in rows], self._options.clock)
        predicted = self._options.estimate.costs.of(len(rows), rows[-1].length)
        self.batch = Batch(rows, execution, now, predicted)
        # Of tensors the prediction knows neither size nor content: one that is wrong would stop the loop.
        foreseen = rows[0].row.is_text and predicted < self._options.inline_seconds
        self._free.clear()
        if foreseen:
            execution.run()
            self._loop.call_soon(self._ran, execution)  # so that whatever came meanwhile has its turn
            return
        self._watch()
        self._worker.submit(execution)
        if self._options.aside_seconds:  # in two turns: the answers of the run before go out first
            self._loop.call_soon(self._loop.call_soon, self._stand_aside, execution)

    def _stand_aside(self, execution: Execution) -> None:
        """Once a turn of the loop, which in between sees to everything that has come."""
        batch = self.batch
        if batch is None or batch.execution is not execution:
            return
        if not self._worker.wait(self._options.aside_seconds):
            self._loop.call_soon(self._stand_aside, execution)

    def _ran(self, execution: Execution) -> None:
        """A run on the loop itself has ended. Its answers go first: the next run would hold them up."""
        batch = self._put_down(execution)
        if batch is not None:
            try:
                self._done(batch)
            finally:
                self._look_soon()

    def _ended(self, execution: Execution) -> None:
        """A run in the thread has ended. The next one begins first: the session need not wait."""
        batch = self._put_down(execution)
        if batch is not None:
            self._next()
            self._done(batch)

    def _put_down(self, execution: Execution) -> Batch | None:
        """The batch of an execution that has ended; None when it is no concern of ours any more."""
        batch = self.batch
        if batch is None or batch.execution is not execution:
            return None
        self.batch = None
        self._free.set()
        self._options.turns.give(self._turn)
        try:
            self._learn(batch)
        except Exception:  # what a run teaches must not cost its answers
            _log.exception("nothing_learned", queue=self._options.name)
        return batch

    def _learn(self, batch: Batch) -> None:
        execution = batch.execution
        self.usual_run += _USUAL_WEIGHT * (execution.seconds - self.usual_run)
        if execution.too_large is not None:
            self.budget.ran_out(execution.too_large)
        elif execution.clean:
            self.budget.went_well()
            self._options.estimate.observe(
                rows=len(batch.rows),
                tokens=batch.rows[-1].length,
                cost=execution.cost,
                seconds=execution.seconds,
            )
        if self.budget.tokens != self._limits.max_tokens:
            self._limits = replace(self._limits, max_tokens=self.budget.tokens)

    def _watch(self) -> None:
        """Look after a batch that takes long. One timer, which most batches never see."""
        if not self._watching:
            self._watching = True
            self._loop.call_later(_WATCH_SECONDS, self._look_after)

    def _look_after(self) -> None:
        self._watching = False
        batch = self.batch
        if batch is None:
            return
        now = time.monotonic()
        if now - batch.began > self._options.max_run_seconds:
            batch.execution.abort()
        if batch.overdue(now) >= 1 and self._told is not batch:
            self._told = batch
            self._tell(batch, now)
        self._watch()

    def _tell(self, batch: Batch, now: float) -> None:
        _log.error(
            "run_stuck",
            queue=self._options.name,
            rows=len(batch.rows),
            predicted_seconds=batch.predicted,
            seconds=now - batch.began,
            stack=self._worker.stack(),
        )
