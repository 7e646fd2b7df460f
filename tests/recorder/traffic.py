"""I1 and I2: the pods behind the traffic.

Traffic is what the stable Service's EndpointSlices list as ready. Must not know why the operator acts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.recorder import objects, switches, writers
from tests.recorder.history import History, Moment, World
from tests.recorder.metadata import Key, Place
from tests.recorder.objects import Deployment, EndpointSlice, Model, Service
from tests.recorder.ownership import is_adopted
from tests.recorder.recent import Recent
from tests.recorder.switches import Switch, Turn
from tests.recorder.violation import Limits, Violation


def never_fewer_pods(history: History, limits: Limits) -> Iterator[Violation]:
    """I1: net of requested replica changes, traffic never points at fewer ready pods than it did.

    A pod that dies of itself is no fault of the rollout, as long as its Deployment still asks for it.
    """
    yield from _switches_to_fewer(history, limits)
    yield from _pods_taken_away(history, limits)


def live_version_stays(history: History, limits: Limits) -> Iterator[Violation]:
    """I2: the revision in the live selector is never deleted nor scaled below spec.replicas.

    One that nobody was ever served by, a first version that never came up, may give way to its successor.
    """
    asked = _Asked(history, limits)
    for moment in history.moments():
        asked.see(moment)
        yield from _live_deployment_cut(moment, asked)


class _Asked:
    """The least replicas that were asked for of late: a write may answer to a reading a moment old."""

    def __init__(self, history: History, limits: Limits) -> None:
        self._replicas: Recent[Place, int] = Recent(limits.read_age)
        for model in history.at_start().models():
            if history.started_at is not None:
                self._replicas.note(_place(model), model.replicas, history.started_at)

    def see(self, moment: Moment) -> None:
        if isinstance(moment.object, Model) and not moment.change.deleted:
            self._replicas.note(_place(moment.object), moment.object.replicas, moment.at)

    def least(self, model: Model, at: datetime) -> int:
        return min(self._replicas.of(_place(model), at), default=model.replicas)


def _switches_to_fewer(history: History, limits: Limits) -> Iterator[Violation]:
    for switch in switches.of(history, read_age=limits.read_age):
        if switch.turn is Turn.HAND or switch.to is None:
            continue
        floor = min(switch.traffic_ready, switch.origin_ready, _asked(switch))
        if switch.turn is Turn.FLIP_BACK:
            floor = min(floor, 1)  # away from a version that fails, one ready pod is better than none
        if switch.target_ready < floor:
            yield Violation(
                "I1",
                switch.at,
                f"{switch.place} was switched from revision {switch.origin} with {switch.origin_ready} ready "
                f"pods to revision {switch.to} with {switch.target_ready}",
                _key(switch.place),
                (f"resourceVersion {switch.position}", f"spec.replicas {_asked(switch)}"),
            )


def _asked(switch: Switch) -> int:
    return switch.traffic_ready if switch.asked is None else switch.asked


def _pods_taken_away(history: History, limits: Limits) -> Iterator[Violation]:
    """Falls in the number of ready pods that no dying pod explains."""
    counts, asked = _counts(history.at_start()), _Asked(history, limits)
    for moment in history.moments():
        asked.see(moment)
        for place in _touched(moment):
            now, before = len(moment.world.ready(place.namespace, place.name)), counts.get(place, 0)
            counts[place] = now
            if now < before:
                yield from _explain(_Fall(place, before, now), moment, asked)


@dataclass(frozen=True, slots=True)
class _Fall:
    place: Place
    before: int
    now: int


def _explain(fall: _Fall, moment: Moment, asked: _Asked) -> Iterator[Violation]:
    place, world = fall.place, moment.world
    model = world.model(place.namespace, place.name)
    service = world.service(place.namespace, place.name)
    if model is None or model.meta.deleting or service is None or model.allow_downtime:
        return
    if service.selected_model is None and is_adopted(service.meta):
        return  # it leads to its owner's pods still, which are nobody's here
    floor = min(fall.before, asked.least(model, moment.at)) - (model.max_unavailable if _rolls(model) else 0)
    if fall.now >= floor:
        return
    live = world.deployment(place.namespace, place.name, service.selected_revision)
    if _rolls(model) or live is None or live.meta.deleting or live.replicas < floor:
        asks = "is gone" if live is None or live.meta.deleting else f"asks for {live.replicas}"
        yield Violation(
            "I1",
            moment.at,
            f"the traffic of {place} fell from {fall.before} to {fall.now} ready pods while the Deployment "
            f"of revision {service.selected_revision} {asks}",
            service.meta.key,
            (f"resourceVersion {moment.position}", f"spec.replicas {model.replicas}"),
        )


def _touched(moment: Moment) -> set[Place]:
    """The Services whose endpoints this change may have moved."""
    seen = (moment.before, moment.object)
    return {Place(i.meta.key.namespace, i.service) for i in seen if isinstance(i, EndpointSlice)}


def _counts(world: World) -> dict[Place, int]:
    places = {_place(model) for model in world.models()}
    return {place: len(world.ready(place.namespace, place.name)) for place in places}


def _live_deployment_cut(moment: Moment, asked: _Asked) -> Iterator[Violation]:
    before, deployment = moment.before, moment.object
    if not isinstance(deployment, Deployment) or not isinstance(before, Deployment):
        return
    model, service = _live(before, moment.world)
    if model is None or service is None or model.allow_downtime:
        return
    wanted = asked.least(model, moment.at)
    if moment.change.deleted or (deployment.meta.deleting and not before.meta.deleting):
        if wanted > 0:
            yield _cut(moment, service, "was deleted")
    elif (
        deployment.replicas < before.replicas
        and deployment.replicas < wanted
        and _serves(before, moment.world)
    ):
        yield _cut(moment, service, f"was scaled from {before.replicas} to {deployment.replicas}")


def _serves(deployment: Deployment, world: World) -> bool:
    """It has a ready pod, or has been promoted: then it had some."""
    meta = deployment.meta
    return objects.PROMOTED in meta.annotations or bool(world.ready(meta.key.namespace, meta.key.name))


def _live(deployment: Deployment, world: World) -> tuple[Model | None, Service | None]:
    """The model and the stable Service, if the Service selects this Deployment's revision."""
    namespace, name = deployment.meta.key.namespace, deployment.meta.model or ""
    model, service = world.model(namespace, name), world.service(namespace, name)
    if model is None or model.meta.deleting or service is None or model.allow_downtime:
        return None, None
    if service.selected_revision is None or service.selected_revision != deployment.meta.revision:
        return None, None
    return model, service


def _cut(moment: Moment, service: Service, what: str) -> Violation:
    by = ", ".join(sorted(moment.writers)) or "somebody unknown"
    whose = "" if moment.change.deleted else f" by {by}"
    blame = " (the operator)" if writers.operators(moment.writers) else ""
    return Violation(
        "I2",
        moment.at,
        f"{moment.change.key} {what}{whose}{blame} while {service.meta.key} sent the traffic to it",
        moment.change.key,
        (f"resourceVersion {moment.position}",),
    )


def _rolls(model: Model) -> bool:
    return model.strategy == "Rolling"


def _place(model: Model) -> Place:
    return Place(model.meta.key.namespace, model.meta.key.name)


def _key(place: Place) -> Key:
    return Key("Service", place.namespace, place.name)
