"""How far the story has come: which step runs, how long each took. Shared by the player and the screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from tests.demo.snapshot import StepState, StepView


class Progress:
    """The steps in their order; one runs at a time."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._steps = [StepView(title) for title in titles]
        self._began = time.monotonic()
        self._step_began = self._began

    def steps(self) -> tuple[StepView, ...]:
        """The steps as they stand now."""
        now = time.monotonic()
        with self._lock:
            return tuple(self._timed(step, now) for step in self._steps)

    def seconds(self) -> float:
        """Since the story began."""
        return time.monotonic() - self._began

    @contextmanager
    def running(self, number: int, *, command: str) -> Iterator[None]:
        """The step runs as long as the `with`; it is done, or failed when an exception leaves it."""
        self._step_began = time.monotonic()
        self._change(number, state=StepState.RUNNING, command=command)
        ended = StepState.FAILED
        try:
            yield
            ended = StepState.DONE
        finally:
            self._change(number, state=ended, seconds=time.monotonic() - self._step_began)

    def _change(self, number: int, **changes: StepState | float | str) -> None:
        with self._lock:
            self._steps[number] = replace(self._steps[number], **changes)  # type: ignore[arg-type]

    def _timed(self, step: StepView, now: float) -> StepView:
        return replace(step, seconds=now - self._step_began) if step.state is StepState.RUNNING else step
