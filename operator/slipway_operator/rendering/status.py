"""The status as the API takes it, with the times at which each statement became true.

These times are all that is ever read from an earlier status.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal

from slipway_operator.api import reasons
from slipway_operator.api import status as api
from slipway_operator.domain import fleet, scarcity, status
from slipway_operator.rendering import size


def body(
    wanted: status.Status, *, previous: api.Status, generation: int, now: datetime.datetime
) -> dict[str, Any]:
    """The body of `.status`. Equal inputs but for `now` give equal bodies: then there is nothing to write."""
    active, target = wanted.active, wanted.target
    says = api.Status(
        observed_generation=max(generation, previous.observed_generation or 0),
        active_version=active.version if active else None,
        active_revision=active.revision if active else None,
        target_version=target.version if target else None,
        target_revision=target.revision if target else None,
        url=wanted.url,
        replicas=wanted.replicas,
        ready_replicas=wanted.ready_replicas,
        selector=wanted.selector,
        versions=_versions(_shown(wanted), previous=previous, now=now),
        rollout=_rollout(wanted, previous.rollout, now),
        conditions=conditions(wanted.conditions, previous=previous, generation=generation, now=now),
    )
    return size.fitted(says)


def conditions(
    wanted: tuple[status.Condition, ...],
    *,
    previous: api.Status,
    generation: int,
    now: datetime.datetime,
) -> tuple[api.Condition, ...]:
    """Each with the time of its last change of status, which is kept while it says the same."""
    before = {condition.type: condition for condition in previous.conditions or ()}
    return tuple(_condition(c, before.get(c.type), generation, now) for c in wanted)


def _condition(
    wanted: status.Condition, before: api.Condition | None, generation: int, now: datetime.datetime
) -> api.Condition:
    says: Literal["True", "False"] = "True" if wanted.status else "False"
    unchanged = before is not None and before.status == says
    return api.Condition(
        type=wanted.type,
        status=says,
        reason=reasons.shown(wanted.reason),
        message=wanted.message,
        observed_generation=generation,
        last_transition_time=before.last_transition_time if before and unchanged else now,
    )


def _rollout(
    wanted: status.Status, before: api.RolloutStatus | None, now: datetime.datetime
) -> api.RolloutStatus:
    same = before is not None and before.step is wanted.step and before.since is not None
    since = before.since if before and same else now
    return api.RolloutStatus(
        step=wanted.step,
        since=since,
        message=wanted.message,
        blocked=_blocked(wanted.blocked) if wanted.blocked else None,
        queue=_queue(wanted.turn) if wanted.turn else None,
    )


def _queue(turn: fleet.Place) -> api.QueueStatus:
    return api.QueueStatus(position=turn.position, ahead=turn.ahead[: api.AHEAD])


def _blocked(shortage: scarcity.Shortage) -> api.BlockedStatus:
    held = shortage.holders[: api.HOLDERS]
    return api.BlockedStatus(
        resource=shortage.resource,
        needed=shortage.needed,
        needed_per_pod=shortage.each,
        free=shortage.free,
        quota=shortage.quota or None,
        holders=tuple(api.HolderStatus(kind=h.kind, name=h.name, count=h.count) for h in held),
        since=shortage.since,
    )


def _shown(wanted: status.Status) -> tuple[status.Version, ...]:
    """As many as the status may list, and those among them that matter most."""
    told = [v.revision for v in (wanted.active, wanted.target) if v is not None]
    latest = [v.revision for v in wanted.versions if v.revision not in told]
    kept = {*told, *latest[: api.VERSIONS - len(told)]}
    return tuple(v for v in wanted.versions if v.revision in kept)


def _versions(
    listed: tuple[status.Version, ...], *, previous: api.Status, now: datetime.datetime
) -> tuple[api.VersionStatus, ...]:
    """Each with the time at which it was first seen in its state."""
    before = {version.revision: version for version in previous.versions or ()}
    return tuple(_version(version, before.get(version.revision), now) for version in listed)


def _version(
    version: status.Version, before: api.VersionStatus | None, now: datetime.datetime
) -> api.VersionStatus:
    same = before is not None and before.state is version.state and before.since is not None
    return api.VersionStatus(
        version=version.version,
        revision=version.revision,
        state=version.state,
        ready=version.ready,
        since=before.since if before and same else now,
        reason=reasons.shown(version.reason) if version.reason else None,
        message=version.message or None,
        url=version.url or None,
        digest=version.digest or None,
    )


def stopped(
    sentence: str, *, previous: api.Status, generation: int, now: datetime.datetime
) -> dict[str, Any]:
    """The status of an object that cannot be read: what serves goes on serving, and stays in it."""
    reason = reasons.ConditionReason.INVALID_SPEC
    kept = tuple(c for c in previous.conditions or () if c.type == reasons.ConditionType.SERVING)
    says = tuple(
        status.Condition(type=kind, status=holds, reason=reason, message=sentence)
        for kind, holds in (
            (reasons.ConditionType.READY, False),
            (reasons.ConditionType.PROGRESSING, False),
            (reasons.ConditionType.STALLED, True),
        )
    )
    made = conditions(says, previous=previous, generation=generation, now=now)
    before = previous.rollout
    same = before is not None and before.step is reasons.RolloutStep.STOPPED
    rollout = api.RolloutStatus(
        step=reasons.RolloutStep.STOPPED, since=before.since if before and same else now, message=sentence
    )
    return size.fitted(
        previous.model_copy(
            update={"observed_generation": generation, "rollout": rollout, "conditions": (*made, *kept)}
        )
    )
