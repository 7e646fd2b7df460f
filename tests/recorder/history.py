"""The recording as ordered history: every change of every object, and the state of the world at each.

Ordered by resourceVersion: on one etcd those are revisions, comparable between kinds. Must not know
what is right or wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.recorder import journal, objects, writers
from tests.recorder.journal import Entry, JsonObject, Line
from tests.recorder.metadata import Key, Place
from tests.recorder.objects import Deployment, EndpointSlice, Model, Object, Resolver, Service


@dataclass(frozen=True, slots=True)
class Change:
    """One object as it was from `position` on, or that it was gone."""

    position: int
    at: datetime
    type: Line
    object: Object
    raw: JsonObject

    @property
    def key(self) -> Key:
        return self.object.meta.key

    @property
    def deleted(self) -> bool:
        return self.type is Line.DELETED


@dataclass(frozen=True, slots=True)
class Gap:
    """From here on something of the kind may be missing."""

    kind: str
    at: datetime
    reason: str


class World:
    """All objects at one position."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self._slices: dict[tuple[str, str], dict[Key, EndpointSlice]] = {}
        self._revisions: dict[str, str] = {}  # of pods by uid, also those that are gone

    def apply(self, change: Change) -> Object | None:
        """Make the change; returns what the object was before."""
        before = self.objects.get(change.key)
        self._unlist(before)
        if change.deleted:
            self.objects.pop(change.key, None)
        else:
            self.objects[change.key] = change.object
            self._list(change.object)
        return before

    def models(self) -> list[Model]:
        return [item for item in self.objects.values() if isinstance(item, Model)]

    def model(self, namespace: str, name: str) -> Model | None:
        found = self.objects.get(Key("InferenceModel", namespace, name))
        return found if isinstance(found, Model) else None

    def service(self, namespace: str, name: str) -> Service | None:
        found = self.objects.get(Key("Service", namespace, name))
        return found if isinstance(found, Service) else None

    def deployment(self, namespace: str, model: str, revision: str | None) -> Deployment | None:
        """The revision's Deployment, by its name."""
        found = self.objects.get(Key("Deployment", namespace, f"{model}-{revision}"))
        return found if isinstance(found, Deployment) else None

    def deployments(self, place: Place) -> list[Deployment]:
        """Those that say they are of this model."""
        found = [item for item in self.objects.values() if isinstance(item, Deployment)]
        return [d for d in found if (d.meta.key.namespace, d.meta.model) == (place.namespace, place.name)]

    def resolvers(self, place: Place) -> list[Resolver]:
        """The pods that find out what this model's source leads to."""
        found = [item for item in self.objects.values() if isinstance(item, Resolver)]
        return [r for r in found if (r.meta.key.namespace, r.of) == (place.namespace, place.name)]

    def ready(self, namespace: str, service: str) -> frozenset[str]:
        """Uids of the distinct ready pods over all EndpointSlices of a Service."""
        slices = self._slices.get((namespace, service), {}).values()
        return frozenset(e.pod for found in slices for e in found.endpoints if e.ready)

    def revision_of(self, pod: str) -> str | None:
        """The revision of a pod, which may be gone by now."""
        return self._revisions.get(pod)

    def _list(self, item: Object) -> None:
        if isinstance(item, EndpointSlice):
            listed = self._slices.setdefault((item.meta.key.namespace, item.service), {})
            listed[item.meta.key] = item
        if item.meta.key.kind == "Pod" and item.meta.revision:
            self._revisions[item.meta.uid] = item.meta.revision

    def _unlist(self, item: Object | None) -> None:
        if isinstance(item, EndpointSlice):
            del self._slices[item.meta.key.namespace, item.service][item.meta.key]


@dataclass(frozen=True, slots=True)
class Moment:
    """One change, what the object was before it, and the world right after it.

    The world is the same object at every moment: look at it now, keep nothing of it but values.
    """

    change: Change
    before: Object | None
    world: World

    @property
    def object(self) -> Object:
        return self.change.object

    @property
    def at(self) -> datetime:
        return self.change.at

    @property
    def position(self) -> int:
        return self.change.position

    @property
    def writers(self) -> frozenset[str]:
        """The field managers that made the change, as far as can be told; none for a delete."""
        if self.change.deleted:
            return frozenset()
        return writers.of(self.before, self.object, at=self.at)


@dataclass(frozen=True, slots=True)
class History:
    """All changes in order. `start` is the position from which every kind is known."""

    changes: tuple[Change, ...]
    start: int
    gaps: tuple[Gap, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @classmethod
    def load(cls, path: Path) -> "History":
        """Read a recording; what it lacks stands in `gaps`."""
        return cls.of(journal.read(path))

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "History":
        """The history that the lines of a recording tell."""
        reading = _Reading()
        for entry in entries:
            reading.take(entry)
        return cls(
            changes=tuple(sorted(reading.changes, key=_order)),
            start=max((entry.position for entry in reading.first_lists.values()), default=0),
            gaps=tuple(reading.gaps + reading.unfinished()),
            started_at=max((entry.at for entry in reading.first_lists.values()), default=None),
            ended_at=reading.last_at,
        )

    def moments(self) -> Iterator[Moment]:
        """Every change after the start, with the world that it left."""
        world = World()
        for change in self.changes:
            before = world.apply(change)
            if change.position > self.start:
                yield Moment(change, before, world)

    def at_start(self) -> World:
        """The world as it was found."""
        world = World()
        for change in self.changes:
            if change.position <= self.start:
                world.apply(change)
        return world

    def at_end(self) -> World:
        """The world as it was left."""
        world = World()
        for change in self.changes:
            world.apply(change)
        return world


@dataclass(slots=True)
class _Reading:
    changes: list[Change] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    first_lists: dict[str, Entry] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    last_at: datetime | None = None

    def take(self, entry: Entry) -> None:
        self.last_at = entry.at
        match entry.type:
            case Line.SYNCED:
                self.first_lists.setdefault(entry.kind, entry)
            case Line.ENDED:
                self.ended.add(entry.kind)
            case Line.GAP:
                self.gaps.append(Gap(entry.kind, entry.at, entry.reason))
            case Line.LISTED | Line.ADDED | Line.MODIFIED | Line.DELETED:
                self.changes.append(_change(entry))

    def unfinished(self) -> list[Gap]:
        """Kinds whose recording has no end: the recorder was cut off."""
        if self.last_at is None:
            return []
        known = self.ended | {gap.kind for gap in self.gaps}
        missing = sorted(set(self.first_lists) - known)
        return [Gap(kind, self.last_at, "the recording was cut off") for kind in missing]


def _change(entry: Entry) -> Change:
    raw = entry.object or {}
    return Change(entry.position, entry.at, entry.type, objects.parse(entry.kind, raw), raw)


def _order(change: Change) -> tuple[int, bool]:
    # What a list shows was so before anything that happened at the list's own position.
    return change.position, change.type is not Line.LISTED
