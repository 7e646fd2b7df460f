"""Where the stable Service points, and the one moment when that changes.

The traffic moves when the target's EndpointSlices have shown enough ready pods for `minReadySeconds`. It also
moves when the revision it points at has none and another has: any ready pod is better than none.
"""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, failure, promotion, situation

_NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)


def restore(s: situation.Situation) -> decision.Decision:
    """A stable Service that is missing, or selects nothing of ours, is the first thing to mend."""
    if s.service is None:
        return _create(s) if s.seen.revisions else decision.NOTHING
    if s.live is not None or s.target_is_live or s.hibernating or s.service.wide or s.adopting:
        return decision.NOTHING
    to = _fallback(s)
    if to is None or not to.ready:
        return decision.NOTHING
    return decision.act(actions.SwitchTraffic(s.service.revision, to.id, s.now, s.service.resource_version))


def _create(s: situation.Situation) -> decision.Decision:
    again = any(r.promoted_at is not None for r in s.seen.revisions)
    return decision.act(actions.CreateTrafficService(_first(s), again=again))


def direct(s: situation.Situation) -> decision.Decision:
    """Promotes, or moves on."""
    if s.service is None or (s.live is None and not s.adopting) or s.target_is_live:
        return _promote(s)
    to = _destination(s)
    if to is None:
        return decision.Decision(actions=_promote(s).actions, look_again=_settles_at(s))
    back = s.returning or not gate_open(s)
    move = actions.SwitchTraffic(s.service.revision, to.id, s.now, s.service.resource_version, back=back)
    noted = note(s, s.live).actions if s.live else ()
    return decision.act(*noted, move)


def _destination(s: situation.Situation) -> observed.Revision | None:
    """The target, when it has proved itself; what served before, when the live revision has no ready pod."""
    if gate_open(s):
        return s.target
    rescue = _fallback(s) if s.live_ready == 0 and not s.hibernating else None
    return rescue if rescue is not None and rescue.ready and rescue.promoted_at else None


def _first(s: situation.Situation) -> str:
    """A Service deleted by hand comes back on what can serve; a new one starts on what is asked for."""
    served = _fallback(s)
    return served.id if served else s.asked.revision


def _fallback(s: situation.Situation) -> observed.Revision | None:
    """What has ready pods, or else has had the traffic; of these the one that had it last."""
    able = [r for r in s.seen.revisions if r.rejected is None and (r.ready or r.promoted_at)]
    return max(able, key=lambda r: (bool(r.ready), r.promoted_at or _NEVER), default=None)


def _promote(s: situation.Situation) -> decision.Decision:
    """Notes that the live revision has the traffic, once that is confirmed."""
    live = s.live
    if live is None or not s.confirmed:
        return decision.NOTHING
    if not s.switched and len(live.ready) < s.asked.replicas:  # the first revision proves itself in place
        return decision.NOTHING
    return note(s, live)


def note(s: situation.Situation, live: observed.Revision) -> decision.Decision:
    """At the latest when the traffic leaves again: coming back to this revision is then a new attempt."""
    if live.attempt_spent:
        return decision.NOTHING
    switch = s.service.switch if s.service and s.switched else None
    since = switch.at if switch else s.now
    return decision.act(actions.MarkPromoted(live.id, max(since, live.attempt_started_at)))


def gate_open(s: situation.Situation) -> bool:
    """The target has proved itself, and nobody holds it back."""
    return proven(s) and not s.asked.paused and not promotion.awaited(s)


def proven(s: situation.Situation) -> bool:
    """Enough of the target's pods have proved themselves for long enough, and nothing speaks against it."""
    target = s.target
    if target is None or s.hibernating or not failure.under_way(target):
        return False
    if s.live_ready == 0:
        return len(target.ready) >= 1
    if target.worst is not None and target.worst.severity is observed.Severity.REJECTING:
        return False
    return target.settled(seconds=s.asked.min_ready, now=s.now) >= s.enough


def _settles_at(s: situation.Situation) -> datetime.datetime | None:
    """When enough of the pods that are ready now will have been so for long enough."""
    target = s.target
    if target is None or s.hibernating or not failure.under_way(target) or len(target.ready) < s.enough:
        return None
    earliest = sorted(pod.since for pod in target.ready)
    settled = situation.after(earliest[s.enough - 1], s.asked.min_ready)
    return settled if settled > s.now else None
