"""Where the stable Service points, and the one moment when that changes.

The traffic moves when the target's EndpointSlices have shown enough ready pods for `minReadySeconds`. It also
moves when the revision it points at has none and another has: any ready pod is better than none.
"""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, failure, situation

_NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)


def restore(s: situation.Situation) -> decision.Decision:
    """A stable Service that is missing, or selects nothing of ours, is the first thing to mend."""
    if s.service is None:
        return decision.act(actions.CreateTrafficService(_first(s))) if s.seen.revisions else decision.NOTHING
    if s.live is not None or s.target_is_live or s.hibernating:
        return decision.NOTHING
    to = _fallback(s)
    if to is None or not to.ready:
        return decision.NOTHING
    return decision.act(actions.SwitchTraffic(s.service.revision, to.id, s.now, s.service.resource_version))


def direct(s: situation.Situation) -> decision.Decision:
    """Promotes, or moves on."""
    if s.service is None or s.live is None or s.target_is_live:
        return _promote(s)
    return decision.Decision(
        actions=_promote(s).actions + _switch(s, s.service).actions,
        look_again=_settles_at(s),
    )


def _first(s: situation.Situation) -> str:
    """A Service deleted by hand comes back on what can serve; a new one starts on what is asked for."""
    served = _fallback(s)
    return served.id if served else s.asked.revision


def _fallback(s: situation.Situation) -> observed.Revision | None:
    """What has ready pods, or else has had the traffic; of these the one that had it last."""
    able = [r for r in s.seen.revisions if r.rejected is None and (r.ready or r.promoted_at)]
    return max(able, key=lambda r: (bool(r.ready), r.promoted_at or _NEVER), default=None)


def _promote(s: situation.Situation) -> decision.Decision:
    """Notes on the live Deployment that it has the traffic, once that is confirmed."""
    live = s.live
    if live is None or live.attempt_spent or not s.confirmed:
        return decision.NOTHING
    switch = s.service.switch if s.service else None
    if switch is not None and s.switched:
        return decision.act(actions.MarkPromoted(live.id, max(switch.at, live.attempt_started_at)))
    if len(live.ready) < s.asked.replicas:  # the first revision proves itself in place
        return decision.NOTHING
    return decision.act(actions.MarkPromoted(live.id, max(s.now, live.attempt_started_at)))


def _switch(s: situation.Situation, service: observed.TrafficService) -> decision.Decision:
    if not gate_open(s):
        return decision.NOTHING
    move = actions.SwitchTraffic(service.revision, s.asked.revision, s.now, service.resource_version)
    return decision.act(move)


def gate_open(s: situation.Situation) -> bool:
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
    if target is None or s.hibernating or gate_open(s) or not failure.under_way(target):
        return None
    if len(target.ready) < s.enough:
        return None
    earliest = sorted(pod.since for pod in target.ready)
    return situation.after(earliest[s.enough - 1], s.asked.min_ready)
