"""A plan's actions, one after the other: essential ones stop at a failure, the others stop nothing.

An action that was made or failed a moment ago waits. Must not know what an action does.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from slipway_operator.controller import action_backoff, work_queue
from slipway_operator.kube import errors, execute
from slipway_operator.planning import actions

log = structlog.get_logger(__name__)

AT_ONCE: Final = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Execution:
    """Of the plans for one model."""

    executor: execute.Executor
    backoff: action_backoff.ActionBackoff
    key: work_queue.Key
    clock: Callable[[], datetime.datetime]
    on_made: Callable[[actions.Action], None]

    async def carry_out(self, wanted: Sequence[actions.Action]) -> float | None:
        """AT_ONCE when something was made, else seconds until what waits may be made, None for nothing.

        Raises the `errors.ApiError` of an essential action; the rest of the plan is not made then.
        """
        made, waits, held = 0, [], False
        for action in wanted:
            essential = not isinstance(action, actions.BEST_EFFORT)
            if held and essential:
                continue  # it was decided as if what waits were made
            wait = self._wait(action) or await self._make(action, essential=essential)
            if wait == AT_ONCE:
                made += 1
                continue
            waits.append(wait)
            held = held or essential
        return AT_ONCE if made else min(waits, default=None)

    async def _make(self, action: actions.Action, *, essential: bool) -> float:
        """AT_ONCE when it was made; else it is best-effort, and these are seconds until the next try."""
        try:
            await self.executor.execute(action)
        except errors.ApiError as error:
            if essential or isinstance(error, errors.Fenced):
                raise
            self.backoff.failed(self.key, action, error, now=self.clock())
            log.warning(f"cannot {action}", action=type(action).__name__, why=str(error))
            return self._wait(action)
        self.backoff.made(self.key, action, now=self.clock())
        log.info(str(action), action=type(action).__name__)
        self.on_made(action)
        return AT_ONCE

    def _wait(self, action: actions.Action) -> float:
        return self.backoff.wait(self.key, action, now=self.clock())
