"""The list of versions in the status: each revision's state in one word."""

from __future__ import annotations

from slipway_operator.api import reasons
from slipway_operator.domain import observed, status
from slipway_operator.planning import situation

STATE = reasons.VersionState


def listed(s: situation.Situation) -> tuple[status.Version, ...]:
    """Every revision that has a Deployment, the latest attempt first."""
    ordered = sorted(s.seen.revisions, key=lambda r: (r.attempt_started_at, r.id), reverse=True)
    return tuple(of(s, revision) for revision in ordered)


def asked(s: situation.Situation) -> status.Version:
    """The asked-for version, also before it has a Deployment."""
    if s.target is not None:
        return of(s, s.target)
    return status.Version(version=s.asked.version, revision=s.asked.revision, state=STATE.STARTING, ready=0)


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
