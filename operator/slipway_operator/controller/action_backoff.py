"""When an action may be made again that was made, or failed, a moment ago.

Whoever undoes what we write (a webhook, another controller, a person) would otherwise be answered at once and
without end. Pure; must not know what an action does, only what becomes of it.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any, Final

from slipway_operator.controller import backoff, work_queue
from slipway_operator.kube import errors
from slipway_operator.planning import actions

LONGEST_OF_ESSENTIAL_SECONDS: Final = 10.0  # traffic and pods must not wait for minutes
QUIET_SECONDS: Final = 60.0
"""An action that was not made for so long, and twice as long as it last waited, begins anew."""

_FAILURES_TOLD: Final = 3  # a conflict or a lost connection may be over at once; a refusal is told at once
_OF_THE_MOMENT: Final = {"at", "resource_version", "verdict", "message"}

_NEVER: Final = datetime.datetime.min.replace(tzinfo=datetime.UTC)

_Identity = tuple[Any, ...]


@dataclasses.dataclass(slots=True)
class _Past:
    times: int = 0
    failures: int = 0  # in a row
    at: datetime.datetime = _NEVER
    why: str = ""


class ActionBackoff:
    """The recent actions of each model. The clock is the caller's."""

    def __init__(self) -> None:
        self._past: dict[work_queue.Key, dict[_Identity, _Past]] = {}

    def wait(self, key: work_queue.Key, action: actions.Action, *, now: datetime.datetime) -> float:
        """Seconds until it may be made; 0 for now."""
        past = self._past.get(key, {}).get(_identity(action))
        if past is None:
            return 0.0
        since = (now - past.at).total_seconds()
        pause = _pause(past, action)
        if since >= max(QUIET_SECONDS, 2 * pause):
            self._forget(key, action)
            return 0.0
        return max(0.0, pause - since)

    def made(self, key: work_queue.Key, action: actions.Action, *, now: datetime.datetime) -> None:
        """The API server has taken it."""
        past = self._noted(key, action, now)
        past.failures, past.why = 0, ""

    def failed(
        self, key: work_queue.Key, action: actions.Action, error: errors.ApiError, *, now: datetime.datetime
    ) -> None:
        """The API server has not."""
        past = self._noted(key, action, now)
        past.failures += 1
        told = isinstance(error, errors.Refused) or past.failures >= _FAILURES_TOLD
        past.why = str(error) if told else ""

    def refusals(self, key: work_queue.Key, wanted: Iterable[actions.Action]) -> tuple[str, ...]:
        """Of these actions the ones that failed last time, a sentence each."""
        known = self._past.get(key, {})
        failed = ((action, known.get(_identity(action))) for action in wanted)
        return tuple(f"cannot {action}: {past.why}" for action, past in failed if past and past.why)

    def forget(self, key: work_queue.Key) -> None:
        """The model is gone."""
        self._past.pop(key, None)

    def _noted(self, key: work_queue.Key, action: actions.Action, now: datetime.datetime) -> _Past:
        known = self._past.setdefault(key, {})
        oldest = now - datetime.timedelta(seconds=2 * backoff.LONGEST_SECONDS)
        for identity in [each for each, past in known.items() if past.at < oldest]:
            del known[identity]
        past = known.setdefault(_identity(action), _Past())
        past.times, past.at = past.times + 1, now
        return past

    def _forget(self, key: work_queue.Key, action: actions.Action) -> None:
        self._past[key].pop(_identity(action), None)
        if not self._past[key]:
            del self._past[key]


def _pause(past: _Past, action: actions.Action) -> float:
    best_effort = isinstance(action, actions.BEST_EFFORT)
    longest = backoff.LONGEST_SECONDS if best_effort else LONGEST_OF_ESSENTIAL_SECONDS
    return backoff.seconds(past.times, longest=longest)


def _identity(action: actions.Action) -> _Identity:
    """What it is about, and not the moment at which it was decided."""
    fields = (f.name for f in dataclasses.fields(action) if f.name not in _OF_THE_MOMENT)
    return type(action), *(getattr(action, name) for name in fields)
