"""Situations as sentences: `a_model(asking="v2").with_live("v1", ready=2).with_revision("v2", ready=1)`.

Everything not said is as in a healthy model at rest, a long time after it was promoted.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from slipway_operator.api import reasons
from slipway_operator.domain import fleet, observed, resolution, target, unowned
from slipway_operator.planning import actions, plan, situation

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
AN_HOUR = 3600


FOUND = resolution.Resolved("s3://models/sentiment", "0123456789abcdef" * 4)


def ago(seconds: float) -> datetime.datetime:
    return NOW - datetime.timedelta(seconds=seconds)


def ahead(seconds: float) -> datetime.datetime:
    return ago(-seconds)


@dataclasses.dataclass(frozen=True, slots=True)
class Scene:
    """What is asked for and what is seen, at NOW."""

    asked: target.Target
    service: observed.TrafficService | None = None
    revisions: tuple[observed.Revision, ...] = ()
    foreign: tuple[observed.Foreign, ...] = ()
    preview: observed.PreviewService | None = None
    watched_since: datetime.datetime | None = None
    turn: fleet.Place | None = None
    resolvers: tuple[observed.Resolver, ...] | None = None
    unowned: tuple[unowned.Unowned, ...] = ()
    elsewhere: observed.TrafficService | None = None
    now: datetime.datetime = NOW

    def with_revision(self, name: str, *, ready: int = 0, ready_for: float = AN_HOUR, **fields: Any) -> Scene:
        """A revision whose attempt has begun a minute ago, with as many replicas as are asked for."""
        pods = tuple(observed.ReadyPod(f"{name}-{n}", ago(ready_for)) for n in range(ready))
        desired = fields.get("desired", self.asked.replicas)
        usual: dict[str, Any] = {
            "version": name,
            "desired": desired,
            "pods": max(desired, ready),
            "has_service": True,
            "attempt_started_at": ago(60),
            "attempt_number": 1,
            "latched": desired,
            "has_budget": self.asked.replicas > 1,
        }
        made = observed.Revision(id=name, ready=pods, **(usual | fields))
        return dataclasses.replace(self, revisions=(*self.revisions, made))

    def with_live(self, name: str, *, ready: int = 1, **fields: Any) -> Scene:
        """A revision that has had the traffic for an hour, and the Service that selects it."""
        usual = {"attempt_started_at": ago(AN_HOUR + 60), "promoted_at": ago(AN_HOUR)}
        scene = self.with_revision(name, ready=ready, **(usual | fields))
        return scene.with_service(name)

    def with_retired(self, name: str, *, promoted: float | None = 2 * AN_HOUR, **fields: Any) -> Scene:
        """A revision without pods, that had the traffic `promoted` seconds ago, or never."""
        moment = ago(promoted) if promoted is not None else None
        usual: dict[str, Any] = {"desired": 0, "pods": 0, "promoted_at": moment}
        return self.with_revision(name, **(usual | {"attempt_started_at": ago(3 * AN_HOUR)} | fields))

    def with_resolver(self, revision: str = "", **fields: Any) -> Scene:
        """A pod that was made a moment ago to find out what the revision's source leads to."""
        revision = revision or self.asked.revision
        usual: dict[str, Any] = {
            "number": 1,
            "attempt": 1,
            "retry_token": self.asked.retry_token,
            "made_at": ago(5),
        }
        usual |= {"name": f"{revision}-resolver-{fields.get('number', 1)}"}
        made = observed.Resolver(revision=revision, **(usual | fields))
        return dataclasses.replace(self, resolvers=(*(self.resolvers or ()), made))

    def without_resolver(self) -> Scene:
        return dataclasses.replace(self, resolvers=())

    def with_service(self, name: str | None, **fields: Any) -> Scene:
        """The stable Service selecting `name`; its EndpointSlices show that revision's ready pods."""
        selected = observed.Observed(None, self.revisions).revision(name)
        pods = frozenset(pod.uid for pod in selected.ready) if selected else frozenset()
        usual: dict[str, Any] = {
            "revision": name,
            "resource_version": "7",
            "switch": None,
            "ready": pods,
            "foreign": frozenset(),
        }
        return dataclasses.replace(self, service=observed.TrafficService(**(usual | fields)))

    def switched(self, origin: str | None, *, seconds_ago: float, back: bool = False) -> Scene:
        """The Service carries a switch from `origin` to what it selects."""
        assert self.service is not None
        assert self.service.revision is not None
        switch = observed.Switch(origin, self.service.revision, ago(seconds_ago), back)
        return dataclasses.replace(self, service=dataclasses.replace(self.service, switch=switch))

    def with_preview(self, revision: str | None) -> Scene:
        return dataclasses.replace(self, preview=observed.PreviewService(revision, "3"))

    def widened(self, origin: str | None, *, seconds_ago: float = 60) -> Scene:
        """The Service selects every pod, by a move from `origin`."""
        ready = frozenset(pod.uid for revision in self.revisions for pod in revision.ready)
        scene = self.with_service(None, ready=ready, wide=True)
        assert scene.service is not None
        switch = observed.Switch(origin, observed.EVERY_POD, ago(seconds_ago))
        return dataclasses.replace(scene, service=dataclasses.replace(scene.service, switch=switch))

    def without_service(self) -> Scene:
        return dataclasses.replace(self, service=None)

    def with_unowned(self, *children: tuple[str, str]) -> Scene:
        """These have lost their owner."""
        return dataclasses.replace(self, unowned=tuple(unowned.Unowned(*child) for child in children))

    def lost_to_others(self) -> Scene:
        """The stable Service is somebody else's by now, and leads where it led."""
        scene = self.with_somebody_elses("Service", observed.Child.STABLE)
        return dataclasses.replace(scene, service=None, elsewhere=self.service)

    def with_somebody_elses(self, kind: str, child: observed.Child, revision: str = "") -> Scene:
        name = f"sentiment-{revision}" if revision else "sentiment"
        foreign = observed.Foreign(kind, name, "Helm release other", child, revision)
        return dataclasses.replace(self, foreign=(*self.foreign, foreign))

    @property
    def situation(self) -> situation.Situation:
        seen = observed.Observed(
            self.service,
            self.revisions,
            self.foreign,
            self.preview,
            self.watched_since,
            turn=self.turn,
            resolvers=self._resolvers(),
            unowned=self.unowned,
            elsewhere=self.elsewhere,
        )
        return situation.Situation(asked=self.asked, seen=seen, now=self.now)

    def _resolvers(self) -> tuple[observed.Resolver, ...]:
        """Unless it is said otherwise, what has no Deployment yet has its source found out."""
        if self.resolvers is not None:
            return self.resolvers
        if any(r.id == self.asked.revision for r in self.revisions):
            return ()
        found = self.with_resolver(ended_at=ago(1), source=FOUND).resolvers
        assert found is not None
        return found

    @property
    def plan(self) -> plan.Plan:
        seen = self.situation.seen
        return plan.plan(self.asked, seen, now=self.now, model="sentiment", namespace="default")

    @property
    def actions(self) -> tuple[actions.Action, ...]:
        return self.plan.actions


def a_model(*, asking: str = "v1", replicas: int = 1, bake: int = 0, **fields: Any) -> Scene:
    """Nothing but the request; without a bake unless that is what it is about."""
    return Scene(target.Target(asking, asking, replicas, bake=bake, **fields))


def a_problem(
    severity: observed.Severity,
    reason: reasons.ConditionReason = reasons.ConditionReason.UNSCHEDULABLE,
) -> observed.Problem:
    return observed.Problem(reason, "0/2 nodes are available", "Pod sentiment-v2-x", severity)


def a_verdict(
    reason: reasons.ConditionReason = reasons.ConditionReason.UNSCHEDULABLE,
    *,
    seconds_ago: float = 60,
    retry_token: str = "",
    attempts: int = 1,
) -> observed.Verdict:
    return observed.Verdict(reason, "0/2 nodes are available", ago(seconds_ago), retry_token, attempts)
