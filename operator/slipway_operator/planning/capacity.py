"""The live revision has the replicas that the user asks for; at zero the model hibernates.

More replicas that are asked for together with another revision are that one's: while it is being tried the
live one keeps what it had, or both would grow at a time, and the one take the room that the other needs.
Replicas that are raised after the attempt has begun are load, and what serves grows at once.
"""

from __future__ import annotations

from slipway_operator.domain import observed
from slipway_operator.planning import actions, attempt, decision, failure, recreation, room, situation

_BEGINNINGS = (actions.CreateDeployment, actions.StartAttempt)


def follow(s: situation.Situation) -> decision.Decision:
    """Scales the live revision to `spec.replicas`, and while hibernating every revision to 0."""
    if s.hibernating:
        return decision.act(*(actions.Scale(r.id, 0) for r in s.seen.revisions if r.desired > 0))
    live = s.live
    if live is None or room.was_given(s) or recreation.under_way(s):
        return decision.NOTHING
    size = _size(s, live)
    return decision.NOTHING if size == live.desired else decision.act(actions.Scale(live.id, size))


def _size(s: situation.Situation, live: observed.Revision) -> int:
    if live.desired >= s.asked.replicas:
        return s.asked.replicas
    if _successor_begins(s, live):
        return live.desired
    target = s.target
    if target is None or s.target_is_live or target.beside is None or not failure.under_way(target):
        return s.asked.replicas
    if s.asked.replicas > target.latched:
        return s.asked.replicas
    return max(live.desired, min(target.beside, s.asked.replicas))


def _successor_begins(s: situation.Situation, live: observed.Revision) -> bool:
    """In this very look: what is asked for now is asked for together."""
    if s.asked.paused or s.rolling or live.desired == 0:
        return False
    return any(isinstance(action, _BEGINNINGS) for action in attempt.ensure(s).actions)
