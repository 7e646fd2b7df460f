"""Every move of a stable Service's selector, with what was true when it was made.

Must not know whether a move was right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tests.recorder import objects, writers
from tests.recorder.history import History, Moment, World
from tests.recorder.metadata import Place
from tests.recorder.objects import Deployment, EndpointSlice, Object, Service
from tests.recorder.recent import Recent

READ_AGE = timedelta(seconds=2)  # how old a reading the operator may have acted on


class Turn(StrEnum):
    """What kind of move it was."""

    FORWARD = "forward"
    FLIP_BACK = "flip-back"  # to where the attempt came from, which has begun no attempt of its own since
    REPAIR = "repair"  # back to the operator's last choice, after somebody else's move
    HAND = "hand"  # somebody else's move


@dataclass(frozen=True, slots=True)
class Switch:
    """One move. Revisions are None where the selector names none (or there was no Service)."""

    place: Place
    turn: Turn
    origin: str | None
    to: str | None
    position: int
    at: datetime
    by: frozenset[str]
    recreated: bool  # the Service had been deleted in between
    annotation: str  # slipway.dev/switch, as written with the move
    attempt: str | None  # of the revision that it went to
    origin_attempt: str | None
    promoted: bool  # that revision had the traffic before, or none had
    rejected: bool
    asked: int | None  # spec.replicas; None when there is no model
    latched: int | None  # spec.replicas when the attempt was first seen
    target_ready: int  # the most ready pods within the age of a reading, by its own Service
    origin_ready: int  # the fewest, by its own Service
    traffic_ready: int  # the fewest, by the stable Service
    confirmed_at: datetime | None = None  # the stable EndpointSlices held its ready pods and no others


def of(history: History, *, read_age: timedelta = READ_AGE) -> tuple[Switch, ...]:
    """All moves, in order."""
    return tuple(_Watching(history, read_age).switches())


def stable(item: Object | None) -> Service | None:
    """The Service, if it is the stable one of a model."""
    if isinstance(item, Service) and item.meta.model == item.meta.key.name:
        return item
    return None


class _Watching:
    def __init__(self, history: History, read_age: timedelta) -> None:
        self._history = history
        self._ready: Recent[tuple[str, str], int] = Recent(read_age)
        self._latched: dict[tuple[str, str, str | None], int] = {}
        self._selected: dict[Place, str | None] = {}  # the last that was selected, also of a deleted Service
        self._chosen: dict[Place, str | None] = {}  # by the operator
        self._forward: dict[Place, Switch] = {}
        self._open: dict[Place, Switch] = {}  # not confirmed

    def switches(self) -> Iterator[Switch]:
        found: dict[Place, list[Switch]] = {}
        self._see_start(self._history.at_start())
        for moment in self._history.moments():
            self._see_readiness(moment)
            self._see_attempt(moment.object, moment.world)
            switch = self._move(moment)
            if switch is not None:
                found.setdefault(switch.place, []).append(switch)
                self._open[switch.place] = switch
            for place in self._confirmed(moment.world):
                found[place][-1] = replace(self._open.pop(place), confirmed_at=moment.at)
        yield from sorted((s for each in found.values() for s in each), key=lambda s: s.position)

    def _see_start(self, world: World) -> None:
        for item in world.objects.values():
            self._see_attempt(item, world)
            service = stable(item)
            if service is not None:
                place = Place(service.meta.key.namespace, service.meta.key.name)
                self._selected[place] = self._chosen[place] = service.selected_revision
            if isinstance(item, EndpointSlice) and self._history.started_at is not None:
                key = item.meta.key.namespace, item.service
                self._ready.note(key, len(world.ready(*key)), self._history.started_at)

    def _see_readiness(self, moment: Moment) -> None:
        for item in (moment.before, moment.object):
            if isinstance(item, EndpointSlice) and item.service:
                key = item.meta.key.namespace, item.service
                self._ready.note(key, len(moment.world.ready(*key)), moment.at)

    def _see_attempt(self, item: Object, world: World) -> None:
        if isinstance(item, Deployment) and item.meta.model is not None:
            model = world.model(item.meta.key.namespace, item.meta.model)
            key = item.meta.key.namespace, item.meta.key.name, item.attempt
            self._latched.setdefault(key, model.replicas if model else item.replicas)

    def _move(self, moment: Moment) -> Switch | None:
        service = stable(moment.object)
        if service is None or moment.change.deleted:
            return None
        place = Place(service.meta.key.namespace, service.meta.key.name)
        known = place in self._selected
        origin, to = self._selected.get(place), service.selected_revision
        self._selected[place] = to
        if not known:
            self._chosen[place] = to
        if not known or origin == to:
            return None
        switch = self._switch(place, origin, service, moment)
        self._remember(switch)
        return switch

    def _remember(self, switch: Switch) -> None:
        if switch.turn is not Turn.HAND:
            self._chosen[switch.place] = switch.to
        if switch.turn is Turn.FORWARD:
            self._forward[switch.place] = switch

    def _switch(self, place: Place, origin: str | None, service: Service, moment: Moment) -> Switch:
        to = service.selected_revision
        old = moment.world.deployment(place.namespace, place.name, origin)
        new = moment.world.deployment(place.namespace, place.name, to)
        model = moment.world.model(place.namespace, place.name)
        attempt = new.attempt if new else None
        switch = Switch(
            place=place,
            turn=Turn.FORWARD,
            origin=origin,
            to=to,
            position=moment.position,
            at=moment.at,
            by=moment.writers,
            recreated=moment.before is None,
            annotation=service.meta.annotations.get(objects.SWITCH, ""),
            attempt=attempt,
            origin_attempt=old.attempt if old else None,
            promoted=_was_promoted(new) or not any(map(_was_promoted, moment.world.deployments(place))),
            rejected=new is not None and new.rejected,
            asked=model.replicas if model else None,
            latched=self._latched.get((place.namespace, f"{place.name}-{to}", attempt)),
            target_ready=max(self._readings(place, f"{place.name}-{to}", moment)),
            origin_ready=min(self._readings(place, f"{place.name}-{origin}", moment)),
            traffic_ready=min(self._readings(place, place.name, moment)),
        )
        return replace(switch, turn=self._turn(switch))

    def _readings(self, place: Place, service: str, moment: Moment) -> list[int]:
        return self._ready.of((place.namespace, service), moment.at) or [0]

    def _turn(self, switch: Switch) -> Turn:
        if switch.by and not writers.operators(switch.by):
            return Turn.HAND
        if switch.to == self._chosen.get(switch.place):
            return Turn.REPAIR
        last = self._forward.get(switch.place)
        came_from = last is not None and (last.to, last.origin) == (switch.origin, switch.to)
        if last is not None and came_from and last.origin_attempt == switch.attempt:
            return Turn.FLIP_BACK
        return Turn.FORWARD

    def _confirmed(self, world: World) -> list[Place]:
        return [place for place, switch in self._open.items() if _holds_only(world, place, switch.to)]


def _was_promoted(deployment: Deployment | None) -> bool:
    return deployment is not None and objects.PROMOTED in deployment.meta.annotations


def _holds_only(world: World, place: Place, revision: str | None) -> bool:
    traffic = world.ready(place.namespace, place.name)
    own = world.ready(place.namespace, f"{place.name}-{revision}")
    return bool(traffic) and all(pod in own or world.revision_of(pod) == revision for pod in traffic)
