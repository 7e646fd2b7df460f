"""When the clients saw one version take over from another.

A connection stays with the pod it was opened to, so the order in which connections were OPENED shows where
the Service pointed, while answers of the old version go on as long as its connections live. So: each run of
answers of one version on one connection is a stay; the stays, by the time of their opening, form spans of a
version; and a switch is the beginning of a span. Sound for sharp switches; where two versions are mixed on
purpose for long (a rolling replacement), it gives the first of the new, the last of the old, and one switch.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.ledger.records import Outcome

PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Sight:
    """A switch as one class of clients saw it, or all of them; None where they had no such answer."""

    first_new: float | None
    last_old: float | None

    @property
    def overlap(self) -> float:
        """Seconds during which both versions answered; 0 for a clean cut."""
        if self.first_new is None or self.last_old is None:
            return 0.0
        return max(0.0, self.last_old - self.first_new)


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of version, times in seconds since the epoch."""

    old: str
    new: str
    seen: Sight
    by_class: Mapping[str, Sight]


@dataclass(slots=True)
class Stay:
    """Answers of one version in a row on one connection."""

    version: str
    client_class: str
    opened: float
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Span:
    """A version's stays from one to another position in the order of openings, both inclusive."""

    version: str
    start: int
    end: int


class Stays:
    """Collects the stays from outcomes, each client's in its own order."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, Stay]] = {}
        self._all: list[Stay] = []

    def take(self, outcome: Outcome) -> None:
        """Look at the next outcome; only served ones tell where a connection leads."""
        if not outcome.served:
            return
        connection, stay = self._open.get(outcome.client, ("", None))
        if stay and connection == outcome.connection and stay.version == outcome.version:
            stay.last = outcome.done_at
            return
        opened = outcome.sent_at if connection == outcome.connection else outcome.sent_at - outcome.age
        stay = Stay(outcome.version, outcome.client_class, opened, outcome.done_at, outcome.done_at)
        self._open[outcome.client] = outcome.connection, stay
        self._all.append(stay)

    def switches(self) -> tuple[Switch, ...]:
        """Return the switches in their order."""
        stays = sorted(self._all, key=lambda stay: stay.opened)
        patience = min(PATIENCE, len(self._open))
        return tuple(
            _switch(stays, old, new) for old, new in _turns(_spans(stays, patience), stays, patience)
        )


def switches(outcomes: Iterable[Outcome]) -> tuple[Switch, ...]:
    """Return the switches that these outcomes show."""
    stays = Stays()
    for outcome in outcomes:
        stays.take(outcome)
    return stays.switches()


def _spans(stays: Sequence[Stay], patience: int) -> list[Span]:
    """A version has gone when `patience` others were opened in a row without one of its own."""
    positions: dict[str, list[int]] = defaultdict(list)
    for position, stay in enumerate(stays):
        positions[stay.version].append(position)
    spans = [span for version, places in positions.items() for span in _split(version, places, patience)]
    return sorted(spans, key=lambda span: span.start)


def _split(version: str, places: Sequence[int], patience: int) -> Iterable[Span]:
    start = places[0]
    for place, following in itertools.pairwise(places):
        if following - place > patience:
            yield Span(version, start, place)
            start = following
    yield Span(version, start, places[-1])


def _turns(spans: Sequence[Span], stays: Sequence[Stay], patience: int) -> list[tuple[Span, Span]]:
    """Pair each span with the one it took over from; a visitor that leaves hands back to who was there."""
    turns: list[tuple[Span, Span]] = []
    present: list[Span] = []
    for span in spans:
        _leave(present, turns, stays, until=span.start - patience)
        if present and present[-1].version != span.version:
            turns.append((present[-1], span))
        present.append(span)
    _leave(present, turns, stays, until=len(stays) - patience)
    return turns


def _leave(present: list[Span], turns: list[tuple[Span, Span]], stays: Sequence[Stay], *, until: int) -> None:
    """Let go of the spans that ended before `until`, but for the last one that stands for what is live."""
    while len(present) > 1 and (gone := min(present, key=lambda span: span.end)).end < until:
        latest = present[-1]
        present.remove(gone)
        if gone is latest:
            present[-1] = _rest(present[-1], gone, turns, stays)


def _rest(old: Span, visitor: Span, turns: list[tuple[Span, Span]], stays: Sequence[Stay]) -> Span:
    """Cut the span that outlived a visitor in two, so that each switch counts its own answers."""
    before = max(place for place in range(old.start, visitor.end) if stays[place].version == old.version)
    after = min(place for place in range(visitor.end, old.end + 1) if stays[place].version == old.version)
    first, rest = Span(old.version, old.start, before), Span(old.version, after, old.end)
    turns[:] = [(first if one == old else one, first if two == old else two) for one, two in turns]
    turns.append((visitor, rest))
    return rest


def _switch(stays: Sequence[Stay], old: Span, new: Span) -> Switch:
    going, coming = _of(stays, old), _of(stays, new)
    classes = sorted({stay.client_class for stay in going + coming})
    return Switch(
        old=old.version,
        new=new.version,
        seen=_sight(going, coming),
        by_class={name: _sight(_only(going, name), _only(coming, name)) for name in classes},
    )


def _sight(going: Sequence[Stay], coming: Sequence[Stay]) -> Sight:
    return Sight(
        min((stay.first for stay in coming), default=None),
        max((stay.last for stay in going), default=None),
    )


def _of(stays: Sequence[Stay], span: Span) -> list[Stay]:
    return [stay for stay in stays[span.start : span.end + 1] if stay.version == span.version]


def _only(stays: Sequence[Stay], client_class: str) -> list[Stay]:
    return [stay for stay in stays if stay.client_class == client_class]
