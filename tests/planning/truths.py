"""What a status may say, given what was seen: checked at every look, whatever else is going on."""

from __future__ import annotations

from slipway_operator.api import reasons
from slipway_operator.domain import observed, status
from tests.planning import look

STEP, TYPE = reasons.RolloutStep, reasons.ConditionType
STUCK = {STEP.BLOCKED, STEP.REJECTED, STEP.STOPPED}


def check(taken: look.Look) -> None:
    """Raises AssertionError at the first untruth."""
    says = taken.plan.status
    held = {condition.type: condition.status for condition in says.conditions}
    assert {TYPE.READY, TYPE.SERVING, TYPE.PROGRESSING} <= held.keys()
    assert len(held) == len(says.conditions), "a condition is stated twice"
    assert all(held[kind] for kind in (TYPE.RECONCILING, TYPE.STALLED) if kind in held)
    assert (TYPE.STALLED in held) == (says.step in STUCK)
    assert not (TYPE.STALLED in held and TYPE.RECONCILING in held)
    _check_traffic(taken, ready=held[TYPE.READY], serving=held[TYPE.SERVING])
    _check_step(taken, says)
    assert all(condition.message for condition in says.conditions)


def _check_traffic(taken: look.Look, *, ready: bool, serving: bool) -> None:
    service, live = _service(taken), taken.live
    behind = bool(service is not None and service.ready)
    wide = service is not None and service.wide
    lent = service is not None and service.lent and service.revision is None and service.switch is None
    ours_or_lent = wide or lent or _answers(taken) is not None
    assert serving == (behind and ours_or_lent), "Serving is the truth about traffic"
    if ready and taken.hibernating:
        assert not any(r.pods or r.desired for r in taken.seen.revisions), "Ready, and it does not sleep yet"
    elif ready:
        assert live is not None
        assert live.id == taken.asked.revision, "Ready, and the version asked for has no traffic"
        assert taken.confirmed, "Ready, and the EndpointSlices do not show it"


def _service(taken: look.Look) -> observed.TrafficService | None:
    """Whoever it belongs to: where the requests go."""
    return taken.seen.service or taken.seen.elsewhere


def _answers(taken: look.Look) -> str | None:
    """The revision that gets the requests."""
    service = _service(taken)
    found = taken.seen.revision(service.revision) if service is not None else None
    return found.id if found is not None else None


def _check_step(taken: look.Look, says: status.Status) -> None:
    active = says.active.revision if says.active else None
    assert active in (None, _answers(taken))
    if says.step is STEP.COMPLETE:
        others = [r for r in taken.seen.revisions if r.id != taken.asked.revision]
        assert taken.live is not None
        assert taken.live.id == taken.asked.revision
        assert not any(r.pods or r.desired for r in others), "Complete, and something has not left"
    if says.step is STEP.REJECTED or says.step is STEP.BLOCKED:
        assert not taken.hibernating
