"""Who may begin a rollout when only so many may be under way: first asked, first begun.

Derived from cluster objects alone, so that a restart forgets nobody's place. Only a beginning waits: what is
under way goes on, the way back is never asked, and a model that serves nobody waits for nobody. Nobody is
passed: a large rollout at the head would otherwise wait for ever.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from slipway_operator.domain import fleet, observed, target
from slipway_operator.planning import failure, rolling, situation

NAMED = 5  # models in a sentence


def place(me: fleet.Entry, models: Sequence[fleet.Entry], limits: fleet.Limits) -> fleet.Place | None:
    """Its place in the queue, or None when it may begin now."""
    if me.running:
        return None
    running = [entry for entry in models if entry.running]
    others = [e for e in models if e.waiting and not e.running and e.model != me.model]
    queue = sorted([*others, me], key=lambda entry: (entry.asked_at, entry.model))
    ahead = queue[: queue.index(me)]
    begun = list(running)
    for entry in (*ahead, me):
        if not _fits(entry, begun, limits):
            names = tuple(e.model for e in ahead)
            return fleet.Place(len(ahead) + 1, names, tuple(sorted(e.model for e in running)))
        begun.append(entry)
    return None


def _fits(entry: fleet.Entry, begun: list[fleet.Entry], limits: fleet.Limits) -> bool:
    """Alone it always does: what is larger than the limit would never have its turn."""
    if not begun:
        return True
    devices = sum(each.devices for each in begun) + entry.devices
    within = limits.devices == 0 or entry.devices == 0 or devices <= limits.devices
    return within and (limits.rollouts == 0 or len(begun) < limits.rollouts)


def entry_of(
    model: str,
    asked: target.Target,
    revisions: Sequence[observed.Revision],
    *,
    resolvers: Sequence[observed.Resolver] = (),
    asked_at: datetime.datetime,
    devices: int,
    now: datetime.datetime,
) -> fleet.Entry:
    """The model as its own object, Deployments and resolver pods show it; `devices` are those of one pod."""
    live = max((r for r in revisions if r.promoted_at), key=_likely_live, default=None)
    seen = observed.Observed(None, tuple(revisions), resolvers=tuple(resolvers))
    s = situation.Situation(asked=asked, seen=seen, now=now)
    running = live is not None and _is_running(s, live)
    retried = s.target.released.at if s.target is not None and s.target.released else asked_at
    return fleet.Entry(
        model=model,
        running=running,
        waiting=live is not None and not running and _waits(s, live),
        asked_at=max(asked_at, retried),
        devices=devices * _surge(asked),
    )


def _likely_live(revision: observed.Revision) -> tuple[bool, datetime.datetime]:
    """The Service is not asked: what had the traffic last and was not left because it failed."""
    standing = revision.desired > 0 and revision.rejected is None
    return standing, revision.promoted_at or revision.attempt_started_at


def _is_running(s: situation.Situation, live: observed.Revision) -> bool:
    """Beside what serves there are pods of another version, or there are to be."""
    if s.hibernating:
        return False
    if any(r.desired > 0 for r in s.seen.revisions if r is not live):
        return True
    asked = s.target
    if asked is not None and asked is not live and (asked.rejected or asked.released):
        return False
    coming = asked is not None and asked is not live and _has_begun(asked)
    return coming or live.desired == 0


def _has_begun(target: observed.Revision) -> bool:
    """Without a pod it has if it was to begin without one; otherwise it was overtaken, and begins anew."""
    return not target.attempt_spent and target.latched == 0


def _waits(s: situation.Situation, live: observed.Revision) -> bool:
    """It would begin, were it alone."""
    if s.asked.paused or s.asked.hands_off or s.asked.obstacle is not None or s.hibernating:
        return False
    if _is_held_back(s):
        return False
    if s.target is None:  # what it is made of has to be known: one that cannot begin would stop the others
        return s.resolved
    return s.target is not live and failure.may_try_again(s, s.target)


def _is_held_back(s: situation.Situation) -> bool:
    """No turn is possible, or the user has not yet given the word that comes before the first pod."""
    by_turns = s.asked.strategy is target.Strategy.ROLLING
    if by_turns and not rolling.possible(s):
        return True
    recreated = s.asked.strategy is target.Strategy.RECREATE and s.asked.allow_downtime
    return (by_turns or recreated) and s.asked.manual and s.asked.approved != s.asked.revision


def _surge(asked: target.Target) -> int:
    """Pods that the rollout has in addition to those that serve."""
    if asked.strategy is target.Strategy.RECREATE:
        return 0
    return asked.max_surge if asked.strategy is target.Strategy.ROLLING else asked.replicas


def sentence(at: fleet.Place) -> str:
    """`waits for its turn, at place 2 behind default/a; under way: default/b`."""
    behind = f" behind {_named(at.ahead)}" if at.ahead else ""
    return f"waits for its turn, at place {at.position}{behind}; under way: {_named(at.running)}"


def _named(models: tuple[str, ...]) -> str:
    more = [f"{len(models) - NAMED} more"] if len(models) > NAMED else []
    return ", ".join([*models[:NAMED], *more])
