"""The facts that the policies share, each stated once: who is live, who is coming, how many pods are enough.

Derived from what was observed and nothing else; decides nothing.
"""

from __future__ import annotations

import dataclasses
import datetime

from slipway_operator.domain import observed, target

TURN_SECONDS = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Situation:
    """One look at one model."""

    asked: target.Target
    seen: observed.Observed
    now: datetime.datetime

    @property
    def service(self) -> observed.TrafficService | None:
        return self.seen.service

    @property
    def target(self) -> observed.Revision | None:
        """The asked-for revision, if it has a Deployment."""
        return self.seen.revision(self.asked.revision)

    @property
    def resolver(self) -> observed.Resolver | None:
        """The last pod that was made to find out what the asked-for revision's source leads to."""
        mine = (r for r in self.seen.resolvers if r.revision == self.asked.revision and not r.leaving)
        return max(mine, key=lambda r: r.number, default=None)

    @property
    def resolved(self) -> bool:
        """What the asked-for revision's source leads to is known."""
        return self.resolver is not None and self.resolver.source is not None

    @property
    def live(self) -> observed.Revision | None:
        """The revision that the stable Service selects, if it has a Deployment."""
        return self.seen.revision(self.service.revision) if self.service else None

    @property
    def target_is_live(self) -> bool:
        return self.service is not None and self.service.revision == self.asked.revision

    @property
    def predecessor(self) -> observed.Revision | None:
        """The revision that the live one took the traffic from."""
        switch = self.service.switch if self.service else None
        return self.seen.revision(switch.origin) if switch and self.switched else None

    @property
    def switched(self) -> bool:
        """The traffic came to the live revision by a switch; otherwise it was there from the start."""
        switch = self.service.switch if self.service else None
        return switch is not None and self.live is not None and switch.to == self.live.id

    @property
    def moved_by_hand(self) -> bool:
        """The traffic has moved before, and is where no move of ours has led it."""
        switch = self.service.switch if self.service else None
        return switch is not None and self.live is not None and not self.switched

    @property
    def returning(self) -> bool:
        """What is asked for is the predecessor: a way back, unless the last move was one already."""
        switch = self.service.switch if self.service else None
        forward = switch is not None and not switch.back
        return forward and self.predecessor is not None and self.predecessor is self.target

    @property
    def adopting(self) -> bool:
        """The Service is lent and still leads to its owner's pods: the first move has not been made."""
        service = self.service
        return service is not None and service.lent and service.revision is None and service.switch is None

    @property
    def bystanders(self) -> tuple[observed.Revision, ...]:
        """Revisions that are neither live nor asked for."""
        kept = {self.asked.revision, self.service.revision if self.service else None}
        return tuple(r for r in self.seen.revisions if r.id not in kept)

    @property
    def queued(self) -> bool:
        """Others' rollouts come first."""
        return self.seen.turn is not None

    @property
    def next_turn(self) -> datetime.datetime:
        """When one that is queued looks again: nothing tells it of others."""
        return after(self.now, TURN_SECONDS)

    @property
    def hibernating(self) -> bool:
        return self.asked.replicas == 0

    @property
    def serves_nobody(self) -> bool:
        """The live revision has had the traffic from the start, and never a ready pod to answer it."""
        served = self.live is None or self.live.promoted_at is not None or self.switched
        return not served and self.live_ready == 0

    @property
    def rolling(self) -> bool:
        """Pods are replaced by turns: that has begun and must end, or is how the target is to come."""
        if self.service is not None and self.service.wide:
            return True
        return self.asked.strategy is target.Strategy.ROLLING and self._succeeds and not self.serves_nobody

    @property
    def recreating(self) -> bool:
        """The live revision leaves before the target comes."""
        recreates = self.asked.strategy is target.Strategy.RECREATE and self.asked.allow_downtime
        return recreates and self._succeeds

    @property
    def _succeeds(self) -> bool:
        return self.live is not None and not self.target_is_live and not self.hibernating

    @property
    def confirmed(self) -> bool:
        """The stable EndpointSlices hold pods of the live revision only, and at least one is ready."""
        service = self.service
        return service is not None and self.live is not None and bool(service.ready) and not service.foreign

    def gets_requests(self, revision: observed.Revision) -> bool:
        """Whatever the selector says: the stable EndpointSlices lag behind it."""
        return self.service is not None and any(pod.uid in self.service.ready for pod in revision.ready)

    @property
    def live_ready(self) -> int:
        """Ready pods behind the traffic, by whichever slices show more: one may have been deleted by hand."""
        own = len(self.live.ready) if self.live else 0
        return max(own, len(self.service.ready) if self.service else 0)

    @property
    def enough(self) -> int:
        """Ready pods that the target needs before the traffic may move to it."""
        if self.live_ready == 0:
            return 1
        if self.adopting:  # how many pods its owner has runs under other rules
            return self.asked.replicas
        latched = self.target.latched if self.target else self.asked.replicas
        if self.asked.replicas < latched:
            return self.asked.replicas
        return max(latched, self.live_ready)

    @property
    def first_size(self) -> int:
        """Replicas with which an attempt starts."""
        if self.adopting:
            return self.asked.replicas
        return max(self.asked.replicas, self.live_ready)

    @property
    def target_size(self) -> int:
        """Replicas for the target while it warms: never lowered but by an explicit scale-down."""
        if self.target is None:
            return self.first_size
        if self.asked.replicas < self.target.latched:
            return self.asked.replicas
        return max(self.first_size, self.target.desired)


def after(moment: datetime.datetime, seconds: float) -> datetime.datetime:
    """`moment` and `seconds` more."""
    return moment + datetime.timedelta(seconds=seconds)
