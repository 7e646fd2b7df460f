"""Whether our watches hear what happens: what a read or a write has shown must come along on the watch too.

A watch can go deaf while its connection stands. Every object that this process reads or writes bears a
resourceVersion, and the watch of its kind has to reach that version. The Lease, renewed every few seconds
and watched like the rest, is what must come back when nothing else happens.

Pure. Must not know how a watch works, nor what any object means.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from slipway_operator.kube import watched


class Stream(NamedTuple):
    """One watch: of a kind, in a namespace or ("") in all."""

    kind: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.namespace or 'all namespaces'}"


@dataclasses.dataclass(slots=True)
class _Hearing:
    reached: int = 0  # the highest version that came along
    owed: int = 0  # the oldest one that has not
    owed_since: float = 0.0
    newest: int = 0  # the latest one that has not
    newest_at: float = 0.0


class Echoes:
    """What each watch owes us, and for how long. Versions of one kind are numbers that grow."""

    def __init__(self, streams: frozenset[Stream], *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._hearings = {stream: _Hearing() for stream in streams}

    def shown(self, kind: str, namespace: str, body: Mapping[str, Any]) -> None:
        """A read or a write has shown this object."""
        version = _version(body)
        hearing = self._of(kind, namespace)
        if hearing is None or not _watched(kind, body) or version <= max(hearing.reached, hearing.newest):
            return
        hearing.newest, hearing.newest_at = version, self._clock()
        if hearing.owed <= hearing.reached:
            hearing.owed, hearing.owed_since = version, hearing.newest_at

    def came(self, kind: str, namespace: str, body: Mapping[str, Any]) -> None:
        """The watch has brought this object."""
        hearing = self._of(kind, namespace)
        if hearing is None:
            return
        hearing.reached = max(hearing.reached, _version(body))
        if hearing.owed <= hearing.reached < hearing.newest:
            hearing.owed, hearing.owed_since = hearing.newest, hearing.newest_at

    def silences(self) -> dict[Stream, float]:
        """Seconds for which each watch has owed something; 0 for one that owes nothing."""
        now = self._clock()
        return {
            stream: now - hearing.owed_since if hearing.owed > hearing.reached else 0.0
            for stream, hearing in self._hearings.items()
        }

    def _of(self, kind: str, namespace: str) -> _Hearing | None:
        return self._hearings.get(Stream(kind, "")) or self._hearings.get(Stream(kind, namespace))


def _watched(kind: str, body: Mapping[str, Any]) -> bool:
    return watched.covers(kind, body.get("metadata", {}).get("labels") or {})


def _version(body: Mapping[str, Any]) -> int:
    """0 for what is no number: nothing is owed for it."""
    text = str(body.get("metadata", {}).get("resourceVersion", ""))
    return int(text) if text.isdecimal() else 0
