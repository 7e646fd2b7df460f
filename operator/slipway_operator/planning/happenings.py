"""Which actions and which changes of step are worth an Event. Each happens once, so none is repeated."""

from __future__ import annotations

from collections.abc import Callable, Collection

from slipway_operator.api import reasons
from slipway_operator.domain import status
from slipway_operator.domain.happening import Happening
from slipway_operator.planning import actions

REASON, STEP = reasons.EventReason, reasons.RolloutStep

_STOPPED: dict[str, reasons.EventReason] = {
    reasons.ConditionReason.INVALID_SPEC: REASON.INVALID_SPEC,
    reasons.ConditionReason.IMAGE_NOT_ALLOWED: REASON.IMAGE_NOT_ALLOWED,
    reasons.ConditionReason.SERVICE_ACCOUNT_NOT_ALLOWED: REASON.SERVICE_ACCOUNT_NOT_ALLOWED,
    reasons.ConditionReason.NAME_CONFLICT: REASON.NAME_CONFLICT,
}


def of_action(action: actions.Action, says: status.Status) -> Happening | None:
    """What has just been done, for people; None for what only the operator cares about."""
    version = _names(says)
    match action:
        case actions.CreateDeployment(revision=revision, replicas=replicas):
            note = f"starting {replicas} pods of version {version(revision)} (revision {revision})"
            return Happening(REASON.ROLLOUT_STARTED, note)
        case actions.StartAttempt(revision=revision, number=number):
            reason = REASON.ROLLOUT_RETRIED if number > 1 else REASON.ROLLOUT_STARTED
            return Happening(reason, f"attempt {number} of version {version(revision)} (revision {revision})")
        case actions.SwitchTraffic(origin=origin, to=to, back=True):
            note = f"the Service selects version {version(to)} (revision {to}) again, and no longer "
            return Happening(REASON.TRAFFIC_WENT_BACK, note + f"version {version(origin or 'none')}")
        case actions.SwitchTraffic(origin=origin, to=to):
            before = f"version {version(origin)}" if origin else "none of its versions"
            note = f"the Service now selects version {version(to)} (revision {to}); before: {before}"
            return Happening(REASON.TRAFFIC_SWITCHED, note)
        case actions.Reject(verdict=verdict):
            return Happening(REASON.ROLLOUT_REJECTED, f"{verdict.reason}: {verdict.message}", warning=True)
        case actions.Release(verdict=verdict):
            return Happening(REASON.ROLLOUT_BLOCKED, f"{verdict.reason}: {verdict.message}", warning=True)
        case actions.NoteSlowness(message=message):
            return Happening(REASON.SLOWER_AFTER_SWITCH, message, warning=True)
        case actions.DeleteRevision(revision=revision):
            return Happening(REASON.REVISION_DELETED, f"revision {revision} has left the history")
        case _:
            return _of_place(action, version)


def _of_place(action: actions.Action, version: Callable[[str], str]) -> Happening | None:
    """Who leaves its place to whom."""
    match action:
        case actions.WidenTraffic(origin=origin):
            note = f"the Service now selects all pods of the model, while those of version {version(origin)} "
            return Happening(REASON.TRAFFIC_SWITCHED, note + "are replaced by turns")
        case actions.CreateTrafficService(to=to, again=True):
            note = f"the Service had been deleted; it is there again and selects version {version(to)}"
            return Happening(REASON.SERVICE_RESTORED, note, warning=True)
        case actions.MarkLentService():
            note = "the Service is lent by its owner: it moves when enough pods have proved themselves"
            return Happening(REASON.SERVICE_LENT, note)
        case actions.TakeDown(revision=revision):
            note = f"version {version(revision)} is taken down: its successor comes when it has gone"
            return Happening(REASON.REVISION_RETIRED, note)
        case actions.GiveWay(revision=revision):
            note = f"version {version(revision)} never had a ready pod and gives its room to its successor"
            return Happening(REASON.REVISION_RETIRED, note)
        case _:
            return None


def of_drift(before: Collection[str], says: status.Status) -> tuple[Happening, ...]:
    """Revisions whose pods somebody has newly changed; `before` are those of which it was said already."""
    return tuple(
        Happening(
            REASON.TEMPLATE_DRIFTED,
            f"the pod template of version {version.version} (revision {version.revision}) was changed by "
            "somebody else; it is left as it is",
            warning=True,
        )
        for version in says.versions
        if version.reason == REASON.TEMPLATE_DRIFTED and version.revision not in before
    )


def of_step(before: reasons.RolloutStep | None, says: status.Status) -> Happening | None:
    """What the status newly says."""
    if before is says.step:
        return None
    if says.step is STEP.COMPLETE:
        return Happening(REASON.ROLLOUT_COMPLETE, says.message)
    if says.step is STEP.WAITING_FOR_PROMOTION:
        return Happening(REASON.WAITING_FOR_PROMOTION, says.message)
    if says.step is STEP.QUEUED:
        return Happening(REASON.ROLLOUT_QUEUED, says.message)
    if says.step is STEP.HIBERNATED:
        return Happening(REASON.HIBERNATED, says.message)
    if says.step is STEP.REJECTED and says.target is not None and not says.target.made:
        return Happening(REASON.ROLLOUT_REJECTED, says.message, warning=True)
    if says.step in (STEP.STOPPED, STEP.BLOCKED):
        stalled = next(c for c in says.conditions if c.type is reasons.ConditionType.STALLED)
        return Happening(_STOPPED.get(stalled.reason, REASON.ROLLOUT_BLOCKED), says.message, warning=True)
    return None


def _names(says: status.Status) -> Callable[[str], str]:
    """From a revision to its version, as far as the status knows it."""
    known = (*says.versions, *((says.target,) if says.target else ()))
    versions = {each.revision: each.version for each in known}
    return lambda revision: versions.get(revision, revision)
