"""One batch on its way through the model, whatever goes wrong: in the thread that owns the session.

A run that fails is repeated in halves, so that a row which breaks the model fails alone and its
mates are answered. May be aborted from any other thread. Knows no queue.
"""

import time
from collections.abc import Callable, Sequence

from slipway_runtime.engine.model import Answer, Clock, OutOfMemoryError, Row, RunAbortedError, RunControl

RunRows = Callable[[Sequence[Row], RunControl], list[Answer]]
Outcome = Answer | Exception


class Execution:
    """`run()` it once, in one thread; it never raises. `cost` is by the model's clock."""

    __slots__ = (
        "_aborted",
        "_clock",
        "_control",
        "_run",
        "cost",
        "outcomes",
        "rows",
        "runs",
        "seconds",
        "too_large",
    )

    def __init__(self, run: RunRows, rows: Sequence[Row], clock: Clock = time.perf_counter) -> None:
        self._run = run
        self._clock = clock
        self._control: RunControl | None = None
        self._aborted = False
        self.rows = rows
        self.seconds = 0.0
        self.cost = 0.0
        self.outcomes: list[Outcome] = []
        self.runs = 0  # one, unless something failed
        self.too_large: int | None = None  # padded tokens of the smallest batch that lacked memory

    @property
    def clean(self) -> bool:
        """Whether it went through in one run: then `cost` says what such a run costs."""
        return self.runs == 1 and not self._aborted and not isinstance(self.outcomes[0], Exception)

    def run(self) -> None:
        began, at_first = time.perf_counter(), self._clock()
        self.outcomes = self._isolated(self.rows)
        self.cost = self._clock() - at_first
        self.seconds = time.perf_counter() - began

    def abort(self) -> None:
        """End it soon: what has no answer by then fails with RunAbortedError. From any thread."""
        self._aborted = True
        if self._control is not None:
            self._control.abort()

    def _isolated(self, rows: Sequence[Row]) -> list[Outcome]:
        try:
            return [*self._once(rows)]
        except RunAbortedError as error:
            return [error] * len(rows)
        except OutOfMemoryError as error:
            outcomes = self._in_halves(rows, error)
            # One in which a row would not fit even alone says nothing about other batches.
            if not any(isinstance(outcome, OutOfMemoryError) for outcome in outcomes):
                self._note_size(rows)
            return outcomes
        except Exception as error:  # whatever a model raises is the row's, never the thread's
            return self._in_halves(rows, error)

    def _once(self, rows: Sequence[Row]) -> list[Answer]:
        control = self._control = RunControl()
        if self._aborted:  # it was aborted between two runs, when there was nothing to tell it to
            raise RunAbortedError("the batch was given up")
        self.runs += 1
        answers = self._run(rows, control)
        if len(answers) != len(rows):
            raise RuntimeError(f"the model gave {len(answers)} answers to {len(rows)} rows")
        return answers

    def _in_halves(self, rows: Sequence[Row], error: Exception) -> list[Outcome]:
        if len(rows) == 1:
            return [error]
        middle = len(rows) // 2
        return [*self._isolated(rows[:middle]), *self._isolated(rows[middle:])]

    def _note_size(self, rows: Sequence[Row]) -> None:
        tokens = len(rows) * max(row.length for row in rows)
        self.too_large = tokens if self.too_large is None else min(self.too_large, tokens)


class TokenBudget:
    """The padded tokens that a run may have: halved when memory ran out, and slowly back to its limit."""

    _STEP = 10  # by a tenth of itself, since rows may have one token each or thousands
    _GOOD_RUNS = 50  # per step

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._good = 0
        self.tokens = limit

    def ran_out(self, tokens: int) -> None:
        """A run of so many padded tokens did not fit."""
        self.tokens = max(1, min(self.tokens, tokens) // 2)
        self._good = 0

    def went_well(self) -> None:
        if self.tokens >= self._limit:
            return
        self._good += 1
        if self._good >= self._GOOD_RUNS:
            self._good = 0
            self.tokens = min(self._limit, self.tokens + max(1, self.tokens // self._STEP))
