"""Where the stable Service points, and the one moment when that changes.

The traffic moves when the target's EndpointSlices have shown enough ready pods for `minReadySeconds`. It also
moves when the revision it points at has none and another has: any ready pod is better than none.
"""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, failure, situation


def direct(s: situation.Situation) -> decision.Decision:
    """Creates, restores, promotes, or moves on."""
    if s.service is None:
        return decision.act(actions.CreateTrafficService(_first(s))) if s.seen.revisions else decision.NOTHING
    if s.target_is_live:
        return _promote(s)
    if s.live is None:
        return _restore(s, s.service)
    return decision.Decision(
        actions=_promote(s).actions + _switch(s, s.service).actions,
        look_again=_settles_at(s),
    )


def _first(s: situation.Situation) -> str:
    """A Service deleted by hand comes back on what served last; a new one starts on what is asked for."""
    served = _latest_promoted(s)
    return served.id if served else s.asked.revision


def _restore(s: situation.Situation, service: observed.TrafficService) -> decision.Decision:
    """The selector names no revision of ours: somebody edited it, or deleted the Deployment."""
    candidates = [_latest_promoted(s), s.target if s.target and s.target.rejected is None else None]
    to = next((r for r in candidates if r is not None and r.ready), None)
    if to is None:
        return decision.NOTHING
    return decision.act(actions.SwitchTraffic(service.revision, to.id, s.now, service.resource_version))


def _latest_promoted(s: situation.Situation) -> observed.Revision | None:
    promoted = [r for r in s.seen.revisions if r.promoted_at is not None]
    return max(promoted, key=lambda r: (bool(r.ready), r.promoted_at), default=None)


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
    return decision.act(actions.MarkPromoted(live.id, s.now))


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
    if target.worst is not None and target.worst.severity is observed.Severity.REJECTING:
        return False
    if s.live_ready == 0:
        return len(target.ready) >= 1
    return target.settled(seconds=s.asked.min_ready, now=s.now) >= s.enough


def _settles_at(s: situation.Situation) -> datetime.datetime | None:
    """When enough of the pods that are ready now will have been so for long enough."""
    target = s.target
    if target is None or len(target.ready) < s.enough or gate_open(s) or not failure.under_way(target):
        return None
    earliest = sorted(pod.since for pod in target.ready)
    return situation.after(earliest[s.enough - 1], s.asked.min_ready)
