"""After the switch the new revision is watched for `bakeSeconds`, the old one being kept hot beside it.

Evidence is the new revision's own: containers that end with an error, readiness that is lost, answers that
are errors. On errors and crashes the traffic goes back when the old revision has any ready pod, on lost
readiness when it has more than the new one; whether the new one is ready is never asked. The revision that
failed is rejected. Slowness is no evidence. An operator that was away watches for a while itself before it
lets the old one go.
"""

from __future__ import annotations

import datetime

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, situation

WATCHED_LIVE_SECONDS = 30

# Answers are counted by the pods, and no event tells of them; pods that did not tell may be asked again.
LOOK_SECONDS = 2
LOOK_IN_VAIN_SECONDS = 5

# As few answers as prove something, and a share that no healthy version reaches.
LEAST_ANSWERS = 20
TOLERATED_SHARE = 0.1

REASON = reasons.ConditionReason


def flip_back(s: situation.Situation) -> decision.Decision:
    """Moves the traffic to the predecessor. The verdict comes first: a flip without it would be undone."""
    live, old = s.live, s.predecessor
    if live is None or old is None or s.service is None or s.hibernating or not old.ready:
        return _watch(s)
    move = actions.SwitchTraffic(live.id, old.id, s.now, s.service.resource_version, back=True)
    if _condemned(s, live):
        return decision.act(move)
    found = _evidence(s, live, old) if under_way(s) else None
    if found is None:
        return _watch(s)
    return decision.act(actions.Reject(live.id, found), move)


def under_way(s: situation.Situation) -> bool:
    """The live revision came by a move forward, is being watched, and could be left again."""
    ends, old = ends_at(s), s.predecessor
    return ends is not None and s.now < ends and old is not None and old.desired > 0 and old.rejected is None


def worth_hearing(s: situation.Situation) -> bool:
    """What the live revision answers could move the traffic now."""
    old = s.predecessor
    return not s.hibernating and under_way(s) and old is not None and bool(old.ready)


def ends_at(s: situation.Situation) -> datetime.datetime | None:
    """When the live revision has been watched for long enough; None where nothing is watched."""
    switch = s.service.switch if s.service else None
    if switch is None or switch.back or not s.switched or s.asked.bake == 0:
        return None
    ends = situation.after(switch.at, s.asked.bake)
    watching = s.seen.watched_since
    if watching is None or watching <= switch.at:
        return ends
    return max(ends, situation.after(watching, WATCHED_LIVE_SECONDS))


def _watch(s: situation.Situation) -> decision.Decision:
    ends = ends_at(s)
    if ends is None or not under_way(s):
        return decision.NOTHING
    counted = s.live is not None and s.live.answers is not None
    pause = LOOK_SECONDS if counted else LOOK_IN_VAIN_SECONDS
    return decision.wait_until(min(ends, situation.after(s.now, pause)))


def _condemned(s: situation.Situation, live: observed.Revision) -> bool:
    """It was rejected after the switch, and the operator died before it could move the traffic."""
    return live.rejected is not None and live.rejected.retry_token == s.asked.retry_token


def _evidence(
    s: situation.Situation, live: observed.Revision, old: observed.Revision
) -> observed.Verdict | None:
    since = s.service.switch.at if s.service and s.service.switch else s.now
    for symptom in live.symptoms:
        if symptom.fault is observed.Fault.CRASHED and symptom.at >= since:
            return _verdict(s, REASON.CRASHED_AFTER_SWITCH, symptom.message)
    for counted in (live.answers_lately, live.answers):
        if counted is not None and _too_many(counted):
            message = f"{counted.failed} of {counted.total} answers were errors"
            return _verdict(s, REASON.ERRORS_AFTER_SWITCH, message)
    for symptom in live.symptoms:
        lost = symptom.fault is observed.Fault.UNREADY and symptom.at >= since
        if lost and len(old.ready) > len(live.ready):
            return _verdict(s, REASON.UNREADY_AFTER_SWITCH, symptom.message)
    return None


def _too_many(answers: observed.Answers) -> bool:
    return answers.total >= LEAST_ANSWERS and answers.failed >= TOLERATED_SHARE * answers.total


def _verdict(s: situation.Situation, reason: reasons.ConditionReason, message: str) -> observed.Verdict:
    old = s.predecessor.version if s.predecessor else ""
    return observed.Verdict(
        reason=reason,
        message=f"after the switch {message}; the requests went back to version {old}",
        at=s.now,
        retry_token=s.asked.retry_token,
        attempts=s.live.attempt_number if s.live else 1,
    )
