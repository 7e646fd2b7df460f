"""A version that answers clearly more slowly than the one before it is told of, once; nothing else follows.

Compared are the means of what the pods of both have computed since their processes began, while the new one
is watched and the old one is kept hot. A busy node, a cold cache or other texts can make a version slow, so
no request goes back for it.
"""

from __future__ import annotations

from slipway_operator.domain import observed
from slipway_operator.planning import actions, bake, decision, situation

# As few answers as show a pace, and a difference that a client notices.
LEAST_ANSWERS = 20
TIMES = 2
SECONDS_MORE = 0.005


def warn(s: situation.Situation) -> decision.Decision:
    """Notes it on the Deployment: so it is told once, whoever looks next."""
    live, old = s.live, s.predecessor
    if live is None or old is None or not worth_comparing(s) or not _slower(live.pace, old.pace):
        return decision.NOTHING
    message = (
        f"version {live.version} takes {_milliseconds(live.pace)} an answer, version {old.version} took "
        f"{_milliseconds(old.pace)}; it keeps the requests"
    )
    return decision.act(actions.NoteSlowness(live.id, message))


def worth_comparing(s: situation.Situation) -> bool:
    """While it is watched, until it has been told."""
    return bake.worth_hearing(s) and s.live is not None and not s.live.slower


def _slower(new: observed.Pace, old: observed.Pace) -> bool:
    if min(new.answers, old.answers) < LEAST_ANSWERS:
        return False
    return new.mean >= max(TIMES * old.mean, old.mean + SECONDS_MORE)


def _milliseconds(pace: observed.Pace) -> str:
    return f"{pace.mean * 1000:.1f} ms"
