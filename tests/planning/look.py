"""One look of the operator: what it saw, and what it decided."""

from __future__ import annotations

import dataclasses
import datetime

from slipway_operator.domain import observed, target
from slipway_operator.planning import plan


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """A plan, and all that it was made from."""

    asked: target.Target
    seen: observed.Observed
    at: datetime.datetime
    plan: plan.Plan

    @property
    def live(self) -> observed.Revision | None:
        return self.seen.revision(self.seen.service.revision) if self.seen.service else None

    @property
    def hibernating(self) -> bool:
        return self.asked.replicas == 0

    @property
    def confirmed(self) -> bool:
        """The stable EndpointSlices show ready pods, and of the selected revision only."""
        service = self.seen.service
        return service is not None and bool(service.ready) and not service.foreign


def at(asked: target.Target, seen: observed.Observed, now: datetime.datetime) -> Look:
    """The look that an operator takes at `now`."""
    decided = plan.plan(asked, seen, now=now, model="sentiment", namespace="default")
    return Look(asked, seen, now, decided)
