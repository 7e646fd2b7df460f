"""The versions that this process serves, which one a request gets, and who still holds one.

All of it happens on one event loop, so a look-up and its count are one step. Knows nothing of how
versions are loaded: that is told to it.
"""

import asyncio
import enum
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import NamedTuple

from slipway_runtime.artifacts.origin import Origin
from slipway_runtime.scheduling.predictor import Predictor


class Key(NamedTuple):
    """What a request may name."""

    name: str
    version: str


class State(enum.StrEnum):
    """As the repository extension of the Open Inference Protocol calls them."""

    READY = "READY"
    LOADING = "LOADING"
    UNLOADING = "UNLOADING"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Entry:
    """One version as the index shows it. `since` is an RFC 3339 time; empty is not known (yet).

    `origin` is where its bytes came from and `batching` which rows may be in one run, once it is in memory.
    """

    name: str
    version: str
    state: State
    reason: str = ""
    digest: str = ""
    source: str = ""
    provider: str = ""
    since: str = ""
    origin: Origin | None = None
    batching: str = ""

    @property
    def key(self) -> Key:
        return Key(self.name, self.version)


class NotReadyError(Exception):
    """What was asked for is wanted here, and is not served (yet)."""


class UnknownModelError(Exception):
    """The request names a model that is not served here."""

    def __init__(self, wanted: str, served: list[str]) -> None:
        super().__init__(f"model {wanted!r} is not served here; served: {_listed(served)}")


class UnknownVersionError(Exception):
    """The request names a version that is not served here."""

    def __init__(self, wanted: str, served: list[str]) -> None:
        super().__init__(f"version {wanted!r} is not served here; served: {_listed(served)}")


@dataclass(slots=True, eq=False)
class Served:
    """One version in memory, and the number of requests that it answers at the moment."""

    predictor: Predictor
    entry: Entry
    leases: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.leases -= 1
        if self.leases == 0:
            self.idle.set()


class Lease:
    """`with` it, and its version stays in memory until the block is left."""

    __slots__ = ("_served",)

    def __init__(self, served: Served) -> None:
        self._served = served

    def __enter__(self) -> Predictor:
        self._served.leases += 1
        return self._served.predictor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._served.release()


class Catalog:
    """Filled once a version has been verified, and not before."""

    def __init__(self, default: str) -> None:
        """`default` is the model of requests that name none."""
        self.default = default
        self.complaint = ""  # why nobody knows what is wanted here at the moment
        self._served: dict[Key, Served] = {}
        self._latest: dict[str, Served] = {}
        self._retiring: list[Served] = []
        self._expected: tuple[Entry, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether the default model has a version that serves."""
        return self.default in self._latest

    def latest(self, name: str | None = None) -> str:
        """The version that a request gets which names none; "" while there is none."""
        served = self._latest.get(name or self.default)
        return served.entry.version if served else ""

    def versions(self, name: str | None = None) -> list[str]:
        """What is served of a model (None: the default one), in order."""
        return sorted(key.version for key in self._served if key.name == (name or self.default))

    def overdue(self, now: float) -> float:
        """How late the latest run of any version is: from 1 on it is stuck. Safe in any thread.

        Also of one on its way out: its successor waits for the same turn.
        """
        held = (*tuple(self._served.values()), *tuple(self._retiring))
        return max((served.predictor.overdue(now) for served in held), default=0.0)

    def index(self) -> tuple[Entry, ...]:
        """Every version that is served, wanted or on its way out; the served ones first."""
        serving = [served.entry for served in self._served.values()]
        known = {entry.key for entry in serving}
        expected = [entry for entry in self._expected if entry.key not in known]
        known.update(entry.key for entry in expected)
        leaving = [served.entry for served in self._retiring if served.entry.key not in known]
        return (*serving, *expected, *leaving)

    def lease(self, name: str | None = None, version: str | None = None) -> Lease:
        """A version to be used in a `with` block that is entered at once.

        No name is the default model, no version (or "") its latest. Raises NotReadyError,
        UnknownModelError or UnknownVersionError.
        """
        wanted = name or self.default
        served = self._served.get(Key(wanted, version)) if version else self._latest.get(wanted)
        if served is None:
            raise self._missing(wanted, version or "")
        return Lease(served)

    def serve(self, predictor: Predictor, entry: Entry) -> Served:
        """Serve a verified version under the name and version of `entry`.

        It takes the place of one with the same key at once; that one is still to be retired. The
        first one of its name is also its latest, a later one when it is preferred.
        """
        served = Served(predictor, replace(entry, state=State.READY))
        before = self._served.get(entry.key)
        self._served[entry.key] = served
        if self._latest.get(entry.name) is before:
            self._latest[entry.name] = served
        return served

    def prefer(self, served: Served) -> None:
        """From now on `served` is the latest version of its name."""
        self._latest[served.entry.name] = served

    async def retire(self, served: Served) -> None:
        """Give `served` to no further request, and return when the last one that holds it is answered."""
        self._remove(served)
        served.entry = replace(served.entry, state=State.UNLOADING)
        self._retiring.append(served)
        try:
            while served.leases:
                served.idle.clear()
                await served.idle.wait()
        finally:
            self._retiring.remove(served)

    def expect(self, entries: Sequence[Entry]) -> None:
        """Show these in the index, where nothing of the same key is served."""
        self._expected = tuple(entries)

    async def close(self) -> None:
        """End every version, whoever holds it."""
        for served in (*self._served.values(), *self._retiring):
            await served.predictor.close()

    def _remove(self, served: Served) -> None:
        key = served.entry.key
        if self._served.get(key) is served:
            del self._served[key]
        if self._latest.get(key.name) is served:
            del self._latest[key.name]
            self._latest.update((one.name, self._served[one]) for one in self._served if one.name == key.name)

    def _missing(self, name: str, version: str) -> Exception:
        names = sorted({key.name for key in self._served} | {entry.name for entry in self._expected})
        if name not in names and name != self.default:
            return UnknownModelError(name, names)
        for entry in self._expected:
            if entry.name == name and entry.version == version:
                return NotReadyError(f"version {version!r} of {name!r} is not served: {_why(entry)}")
        if name in self._latest:
            return UnknownVersionError(version, self.versions(name))
        return NotReadyError("the model is still being loaded and verified")


def _why(entry: Entry) -> str:
    return entry.reason or "it is still being loaded and verified"


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names)) or "nothing"
