"""The list of versions in the status: each revision's state in one word."""

from __future__ import annotations

from slipway_operator.api import reasons
from slipway_operator.domain import observed, status
from slipway_operator.planning import resolution, situation

STATE = reasons.VersionState


def listed(s: situation.Situation) -> tuple[status.Version, ...]:
    """Every revision that has a Deployment, the latest attempt first; before them one that gets none."""
    ordered = sorted(s.seen.revisions, key=lambda r: (r.attempt_started_at, r.id), reverse=True)
    coming = (asked(s),) if s.target is None and resolution.obstacle(s) is not None else ()
    return (*coming, *(of(s, revision) for revision in ordered))


def asked(s: situation.Situation) -> status.Version:
    """The asked-for version, also before it has a Deployment."""
    if s.target is not None:
        return of(s, s.target)
    obstacle = resolution.obstacle(s)
    if obstacle is None:
        return _unmade(s, STATE.STARTING)
    rejected = obstacle.severity is observed.Severity.REJECTING
    return _unmade(s, STATE.REJECTED if rejected else STATE.BLOCKED, obstacle.reason)


def _unmade(s: situation.Situation, state: reasons.VersionState, reason: str = "") -> status.Version:
    asked = s.asked
    return status.Version(
        version=asked.version, revision=asked.revision, state=state, ready=0, reason=reason, made=False
    )


def of(s: situation.Situation, revision: observed.Revision) -> status.Version:
    """One revision's line."""
    verdict = revision.rejected or revision.released
    return status.Version(
        version=revision.version,
        revision=revision.id,
        state=_state(s, revision),
        ready=len(revision.ready),
        reason=verdict.reason if verdict else _noticed(revision),
        message=_sentence(verdict) if verdict else revision.slower,
        digest=revision.digest,
    )


def _sentence(verdict: observed.Verdict) -> str:
    said = f"; the last lines of its log: {verdict.last_words}" if verdict.last_words else ""
    return verdict.message + said


def _noticed(revision: observed.Revision) -> str:
    """What is told of it, and is no reason to do anything."""
    if revision.edited_by:
        return reasons.EventReason.TEMPLATE_DRIFTED
    return reasons.EventReason.SLOWER_AFTER_SWITCH if revision.slower else ""


def _state(s: situation.Situation, revision: observed.Revision) -> reasons.VersionState:
    service = s.service
    if service is not None and (service.revision == revision.id or (service.wide and revision.ready)):
        return STATE.LIVE
    if revision.rejected is not None:
        return STATE.REJECTED
    if revision.released is not None:
        return STATE.BLOCKED
    if revision.desired == 0:
        return STATE.DRAINING if revision.pods else STATE.RETIRED
    if revision.id != s.asked.revision:
        return STATE.WARM
    return STATE.READY if len(revision.ready) >= s.enough else STATE.STARTING
