"""I3, I13 and I14: where the traffic may be moved to, how often, and what is never tried again."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeGuard

from tests.recorder import switches
from tests.recorder.history import History, Moment, World
from tests.recorder.metadata import Key, Place
from tests.recorder.objects import Deployment, Object
from tests.recorder.switches import Switch, Turn
from tests.recorder.violation import Limits, Violation


def promoted_once_and_ready(history: History, limits: Limits) -> Iterator[Violation]:
    """I3: one forward promotion and one flip-back an attempt, each only to enough ready pods."""
    seen: set[tuple[Place, Turn, str | None, str | None]] = set()
    for switch in switches.of(history, read_age=limits.read_age):
        if switch.turn is Turn.HAND:
            continue
        if switch.turn in (Turn.FORWARD, Turn.FLIP_BACK) and not switch.recreated:
            attempt = _attempt(switch)
            if attempt in seen:
                yield _violation(switch, f"the second {switch.turn} move in one attempt of {attempt[3]}")
            seen.add(attempt)
        if switch.to is not None:
            yield from _was_ready(switch)
            yield from _was_noted(switch)


def flips_back(history: History, limits: Limits) -> Iterator[Violation]:
    """I13: in the bake, a version without a ready pod gives way to a predecessor that has one.

    Only the old version must be ready for that.
    """
    bakes: dict[Place, _Bake] = {}
    made = {switch.position: switch for switch in switches.of(history, read_age=limits.read_age)}
    for moment in history.moments():
        for place, bake in list(bakes.items()):
            late = bake.look(moment, limits.flip_within)
            if late is not None:
                yield late
                del bakes[place]
        switch = made.get(moment.position)
        if switch is not None:
            bakes.pop(switch.place, None)
            if switch.turn is Turn.FORWARD:
                bakes[switch.place] = _Bake(switch)


def rejected_stays_rejected(history: History) -> Iterator[Violation]:
    """I14: a rejected revision is not tried again until the revision or the retry token changes.

    One that nobody asked for any more may be trimmed, and its verdict with it.
    """
    world = history.at_start()
    tokens = {d.meta.key: _judged(d, world) for d in world.objects.values() if _is_rejected(d)}
    for moment in history.moments():
        deployment, key = moment.object, moment.change.key
        if not isinstance(deployment, Deployment):
            continue
        if moment.change.deleted:
            if not _is_asked_for(deployment, moment.world):
                tokens.pop(key, None)
            continue
        token = _token(deployment, moment.world)
        if tokens.get(key, token) != token:
            del tokens[key]
        if key in tokens:
            yield from _tried_again(moment.before, deployment, moment)
        if deployment.rejected:
            tokens.setdefault(key, _judged(deployment, moment.world))
    for switch in switches.of(history):
        if switch.turn is Turn.FORWARD and switch.rejected:
            yield _violation(switch, "the revision had been rejected", invariant="I14")


class _Bake:
    """Watches one promotion while it may be flipped back."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._since: datetime | None = None

    def look(self, moment: Moment, within: timedelta) -> Violation | None:
        place, world = self._switch.place, moment.world
        model = world.model(place.namespace, place.name)
        if model is None or moment.at - self._switch.at > timedelta(seconds=model.bake_seconds):
            return None
        new = world.ready(place.namespace, f"{place.name}-{self._switch.to}")
        old = world.ready(place.namespace, f"{place.name}-{self._switch.origin}")
        if new or not old:
            self._since = None
            return None
        self._since = self._since or moment.at
        if moment.at - self._since <= within:
            return None
        return Violation(
            "I13",
            moment.at,
            f"{place} stayed on revision {self._switch.to} without a ready pod for more than "
            f"{within.total_seconds():g} s although revision {self._switch.origin} had {len(old)}",
            Key("Service", place.namespace, place.name),
        )


def _attempt(switch: Switch) -> tuple[Place, Turn, str | None, str | None]:
    # A flip-back belongs to the attempt that it ends.
    if switch.turn is Turn.FLIP_BACK:
        return switch.place, switch.turn, switch.origin_attempt, switch.origin
    return switch.place, switch.turn, switch.attempt, switch.to


def _was_ready(switch: Switch) -> Iterator[Violation]:
    if switch.recreated:
        if not switch.promoted and switch.turn is not Turn.REPAIR:
            yield _violation(switch, "the recreated Service selects a revision that was never promoted")
        return
    if switch.asked == 0 and switch.turn is Turn.FORWARD:
        yield _violation(switch, "nothing is promoted at replicas: 0")
        return
    enough = _enough(switch)
    if switch.target_ready < enough:
        yield _violation(switch, f"{enough} ready pods were needed and its Service had {switch.target_ready}")


def _enough(switch: Switch) -> int:
    if switch.turn is not Turn.FORWARD or switch.origin is None or switch.origin_ready == 0:
        return 1
    asked = switch.traffic_ready if switch.asked is None else switch.asked
    latched = asked if switch.latched is None else switch.latched
    return max(1, min(max(latched, switch.origin_ready), asked))


def _was_noted(switch: Switch) -> Iterator[Violation]:
    """The note of the move stands in the same write."""
    if switch.turn is Turn.REPAIR or switch.recreated:
        return
    try:
        noted = json.loads(switch.annotation or "{}").get("to")
    except json.JSONDecodeError:
        noted = switch.annotation
    if noted != switch.to:
        yield _violation(switch, f"the annotation slipway.dev/switch of the same write says {noted!r}")


def _violation(switch: Switch, why: str, *, invariant: str = "I3") -> Violation:
    return Violation(
        invariant,
        switch.at,
        f"{switch.place} was switched from revision {switch.origin} to {switch.to} ({switch.turn}): {why}",
        Key("Service", switch.place.namespace, switch.place.name),
        (
            f"resourceVersion {switch.position}",
            f"spec.replicas {switch.asked}, latched {switch.latched}",
            f"ready: target {switch.target_ready}, origin {switch.origin_ready}",
        ),
    )


def _is_rejected(item: Object) -> TypeGuard[Deployment]:
    return isinstance(item, Deployment) and item.rejected


def _judged(deployment: Deployment, world: World) -> str:
    """The retry token that the verdict is about; the model's may be newer."""
    token = deployment.rejected_token
    return _token(deployment, world) if token is None else token


def _is_asked_for(deployment: Deployment, world: World) -> bool:
    model = world.model(deployment.meta.key.namespace, deployment.meta.model or "")
    if model is None or model.version != deployment.meta.version:
        return False
    # A version may have several revisions; which of them is meant is the operator's word.
    return model.status.target_revision in ("", deployment.meta.revision)


def _token(deployment: Deployment, world: World) -> str:
    model = world.model(deployment.meta.key.namespace, deployment.meta.model or "")
    return model.retry_token if model else ""


def _tried_again(before: Object | None, now: Deployment, moment: Moment) -> Iterator[Violation]:
    what = _what_was_done(before, now)
    if what:
        yield Violation(
            "I14",
            moment.at,
            f"{now.meta.key} had been rejected and {what}, with the retry token unchanged",
            now.meta.key,
            (f"resourceVersion {moment.position}",),
        )


def _what_was_done(before: Object | None, now: Deployment) -> str:
    if not isinstance(before, Deployment):
        return "was created again"
    if now.attempt != before.attempt:
        return "began a new attempt"
    if now.replicas > before.replicas:
        return f"was scaled from {before.replicas} to {now.replicas}"
    return "lost its rejection" if before.rejected and not now.rejected else ""
