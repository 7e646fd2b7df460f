"""What the metrics say of rollouts, taken from what was decided and told. Pure but for the counting."""

from __future__ import annotations

import datetime
from typing import Final

from slipway_operator.api import reasons
from slipway_operator.api import status as api_status
from slipway_operator.domain import happening, observed
from slipway_operator.planning import actions
from slipway_operator.telemetry import metrics

_OUTCOMES: Final = {
    reasons.EventReason.ROLLOUT_STARTED: "started",
    reasons.EventReason.ROLLOUT_RETRIED: "retried",
    reasons.EventReason.ROLLOUT_COMPLETE: "completed",
    reasons.EventReason.ROLLOUT_REJECTED: "rejected",
    reasons.EventReason.ROLLOUT_BLOCKED: "blocked",
    reasons.EventReason.TRAFFIC_WENT_BACK: "went_back",
}


def happened(what: happening.Happening) -> None:
    """Counts what began or ended a rollout."""
    if (outcome := _OUTCOMES.get(what.reason)) is not None:
        metrics.ROLLOUTS.labels(outcome).inc()


def made(action: actions.Action, seen: observed.Observed, *, now: datetime.datetime) -> None:
    """Counts a write of a plan, and how long the clients waited for a new version that was ready."""
    metrics.ACTIONS.labels(type(action).__name__).inc()
    if (waited := ready_to_switched(action, seen, now=now)) is not None:
        metrics.READY_TO_SWITCHED_SECONDS.observe(waited)


def ready_to_switched(
    action: actions.Action, seen: observed.Observed, *, now: datetime.datetime
) -> float | None:
    """Seconds since the last of the needed pods became ready, when `action` promotes them."""
    if not isinstance(action, actions.SwitchTraffic) or action.back:
        return None
    revision = seen.revision(action.to)
    if revision is None or not revision.ready:
        return None
    since = sorted(pod.since for pod in revision.ready)
    needed = since[min(max(revision.latched, 1), len(since)) - 1]
    return max(0.0, (now - needed).total_seconds())


def moved(
    before: api_status.RolloutStatus | None, step: reasons.RolloutStep, *, now: datetime.datetime
) -> None:
    """Measures the step that was left."""
    if before is None or before.step is None or before.since is None or before.step is step:
        return
    metrics.STEP_SECONDS.labels(before.step.value).observe(max(0.0, (now - before.since).total_seconds()))
