"""What to point at, to unload and to load next: decided from what is wanted, loaded and has failed.

Pure: no clock, no threads, no files. Three rules: what served last goes only when its successor
serves, so a version that cannot be loaded takes nothing away; a model that nobody wants any more
goes, unless nothing else would answer requests that name none; a failure is tried again, later each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.versions.wanted import Wanted

_LONGEST_WAIT = 300.0


@dataclass(frozen=True, slots=True)
class Failure:
    """The last of `attempts` failures in a row. `at` is in the seconds of the same clock as `now`.

    Not the error itself, whose traceback would keep in memory what it failed with.
    """

    attempts: int
    at: float
    reason: Reason
    message: str
    subject: str

    def error(self) -> StartupError:
        """To be raised where it is the end of the process."""
        return StartupError(self.reason, self.message, subject=self.subject)

    def retry_at(self, first_wait: float) -> float:
        """The wait doubles with every failure, up to five minutes."""
        return self.at + min(first_wait * 2.0 ** (self.attempts - 1), max(_LONGEST_WAIT, first_wait))


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision is made from. The last wanted version of a name is to be its latest.

    `pinned` is the model of requests that name none, where the configuration names it. `default` and
    `latest` are as they were decided last.
    """

    wanted: Sequence[Wanted]
    loaded: Sequence[Wanted]
    failures: Mapping[Wanted, Failure] = field(default_factory=dict)
    pinned: str | None = None
    default: str = ""
    latest: Mapping[str, Wanted] = field(default_factory=dict)
    first_wait: float = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Point at `latest`, then unload, then load; look again at `wake_at` at the latest.

    `kept` is loaded and not wanted, but nothing serves in its place.
    """

    default: str
    latest: Mapping[str, Wanted]
    unload: tuple[Wanted, ...]
    kept: tuple[Wanted, ...]
    load: Wanted | None
    wake_at: float | None


def decide(situation: Situation, now: float) -> Plan:
    """The next steps. With `load` done or failed, and `unload` under way, ask again."""
    names = dict.fromkeys(one.name for one in (*situation.loaded, *situation.wanted))
    latest = {name: one for name in names if (one := _latest(situation, name)) is not None}
    default = _default(situation, latest)
    unwanted = [one for one in situation.loaded if one not in situation.wanted]
    wanted_names = {one.name for one in situation.wanted}
    kept = [one for one in unwanted if latest[one.name] == one and one.name in wanted_names | {default}]
    waiting = _waiting(situation)
    due = [one for one in waiting if _due(situation, one) <= now]
    return Plan(
        default=default,
        latest={name: one for name, one in latest.items() if one in situation.wanted or one in kept},
        unload=tuple(one for one in unwanted if one not in kept),
        kept=tuple(kept),
        load=due[0] if due else None,
        wake_at=None if due else min((_due(situation, one) for one in waiting), default=None),
    )


def _latest(situation: Situation, name: str) -> Wanted | None:
    """The version that requests get which name none."""
    current = situation.latest.get(name)
    if current not in situation.loaded:
        current = None
    listed = [one for one in situation.wanted if one.name == name]
    if listed and listed[-1] in situation.loaded:
        return listed[-1]
    if current is not None and current not in listed:
        return current  # its successor does not serve yet
    ready = [one for one in listed if one in situation.loaded]
    others = [one for one in situation.loaded if one.name == name]
    return next(iter([*reversed(ready), *reversed(others)]), None)


def _default(situation: Situation, latest: Mapping[str, Wanted]) -> str:
    """The model of requests that name none: the first one wanted, as soon as it serves."""
    if situation.pinned is not None:
        return situation.pinned
    first = situation.wanted[0].name if situation.wanted else situation.default
    return situation.default if first not in latest and situation.default in latest else first


def _waiting(situation: Situation) -> list[Wanted]:
    """What is to be loaded: first what takes traffic, the latest of each name, in the order of the names."""
    last = {one.name: one for one in situation.wanted}
    missing = [one for one in situation.wanted if one not in situation.loaded]
    return sorted(missing, key=lambda one: last[one.name] != one)


def _due(situation: Situation, one: Wanted) -> float:
    failure = situation.failures.get(one)
    return failure.retry_at(situation.first_wait) if failure else float("-inf")
