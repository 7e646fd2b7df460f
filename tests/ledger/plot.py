"""A run drawn by hand as SVG: answers per second by version over time, switches, and every failure in red.

Pure: from outcomes to text. Needs no library and no browser to be made.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.ledger.records import Outcome
from tests.ledger.switches import Switch

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 44, 34
FINEST_SECONDS = 0.1
MOST_STEPS = 480
# Told apart by people who do not see red and green as others do; red itself is kept for failures.
COLOURS = ("#4477aa", "#ccbb44", "#228833", "#aa3377", "#66ccee", "#999999")
FAILURE = "#cc0000"


@dataclass(slots=True)
class Timeline:
    """Collects outcomes, each in the tenth of a second in which it was known."""

    served: Counter[tuple[str, int]] = field(default_factory=Counter)
    failed: Counter[int] = field(default_factory=Counter)

    def take(self, outcome: Outcome) -> None:
        """Count one outcome."""
        tick = math.floor(outcome.done_at / FINEST_SECONDS)
        if outcome.served:
            self.served[outcome.version, tick] += 1
        else:
            self.failed[tick] += 1

    def draw(self, switches: Sequence[Switch] = (), *, title: str = "Answers per second") -> str:
        """Return a whole SVG document."""
        ticks = [tick for _, tick in self.served] + list(self.failed)
        if not ticks:
            return _document(title, ['<text x="52" y="80">No request has an outcome.</text>'])
        frame = _frame(self, min(ticks), max(ticks) + 1)
        parts = [*_axes(frame), *_areas(frame), *_switches(frame, switches), *_failures(frame, self.failed)]
        return _document(title, [*parts, *_legend(frame, sum(self.failed.values()))])


@dataclass(frozen=True, slots=True)
class _Frame:
    """The drawing's scales: `rates` are answers per second and version, one for each step."""

    first: int  # the first tenth of a second, since the epoch
    per_step: int  # tenths in a step
    steps: int
    rates: Mapping[str, Sequence[float]]
    top: float

    def x(self, at: float) -> float:
        """Return the place of a time in seconds since the epoch."""
        share = (at / FINEST_SECONDS - self.first) / (self.steps * self.per_step)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def x_of_step(self, step: int) -> float:
        """Return the left edge of a step."""
        return LEFT + step / self.steps * (WIDTH - LEFT - RIGHT)

    def y(self, rate: float) -> float:
        """Return the height of so many answers per second."""
        return HEIGHT - BOTTOM - rate / self.top * (HEIGHT - TOP - BOTTOM)

    @property
    def seconds(self) -> float:
        """The whole time drawn."""
        return self.steps * self.per_step * FINEST_SECONDS


def _frame(timeline: Timeline, first: int, end: int) -> _Frame:
    per_step = max(1, math.ceil((end - first) / MOST_STEPS))
    steps = math.ceil((end - first) / per_step)
    rates: dict[str, list[float]] = defaultdict(lambda: [0.0] * steps)
    for (version, tick), count in sorted(timeline.served.items()):
        rates[version][(tick - first) // per_step] += count / (per_step * FINEST_SECONDS)
    most = max((sum(step) for step in zip(*rates.values(), strict=True)), default=0.0)
    return _Frame(first, per_step, steps, rates, top=_round(max(most, 1.0)))


def _round(value: float) -> float:
    """Return the next number that people count in."""
    unit = 10.0 ** math.floor(math.log10(value))
    return next(unit * factor for factor in (1, 2, 2.5, 4, 5, 8, 10) if unit * factor >= value)


def _axes(frame: _Frame) -> Iterable[str]:
    for part in (0, 0.25, 0.5, 0.75, 1):
        y, rate = frame.y(frame.top * part), frame.top * part
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{rate:g}</text>'
    every = _round(frame.seconds / 10)
    for number in range(int(frame.seconds / every) + 1):
        x = frame.x(frame.first * FINEST_SECONDS + number * every)
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{number * every:g} s</text>'


def _areas(frame: _Frame) -> Iterable[str]:
    """Stack the versions: each area stands on the ones before it."""
    floor = [0.0] * frame.steps
    for colour, rates in zip(_colours(frame), frame.rates.values(), strict=True):
        ceiling = [below + rate for below, rate in zip(floor, rates, strict=True)]
        points = [*_stairs(frame, ceiling), *reversed(list(_stairs(frame, floor)))]
        yield f'<polygon points="{" ".join(points)}" fill="{colour}"/>'
        floor = ceiling


def _stairs(frame: _Frame, heights: Sequence[float]) -> Iterable[str]:
    for step, height in enumerate(heights):
        yield f"{frame.x_of_step(step):.1f},{frame.y(height):.1f}"
        yield f"{frame.x_of_step(step + 1):.1f},{frame.y(height):.1f}"


def _switches(frame: _Frame, switches: Sequence[Switch]) -> Iterable[str]:
    for switch in switches:
        if switch.seen.first_new is None:
            continue
        x = frame.x(switch.seen.first_new)
        line = f'x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{HEIGHT - BOTTOM}"'
        yield f'<line {line} stroke="#333333" stroke-dasharray="4 3"/>'
        label = escape(f"{switch.old} → {switch.new}")
        yield f'<text x="{x:.1f}" y="{TOP - 8}" text-anchor="middle">{label}</text>'


def _failures(frame: _Frame, failed: Mapping[int, int]) -> Iterable[str]:
    for tick, count in sorted(failed.items()):
        x, radius = frame.x(tick * FINEST_SECONDS), min(2 + math.sqrt(count), 8)
        hint = f"{count} failed at {(tick - frame.first) * FINEST_SECONDS:.1f} s"
        place = f'cx="{x:.1f}" cy="{HEIGHT - BOTTOM:.1f}" r="{radius:.1f}"'
        yield f'<circle {place} fill="{FAILURE}"><title>{hint}</title></circle>'


def _legend(frame: _Frame, failed: int) -> Iterable[str]:
    entries = [(f"version {name}", colour) for name, colour in zip(frame.rates, _colours(frame), strict=True)]
    for number, (name, colour) in enumerate([*entries, (f"{failed:,} failed", FAILURE)]):
        x = WIDTH - RIGHT - 110 * (len(entries) + 1 - number)
        yield f'<rect x="{x}" y="8" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 15}" y="17">{escape(name)}</text>'


def _colours(frame: _Frame) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(len(frame.rates))]


def _document(title: str, parts: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' font-family="system-ui, sans-serif" font-size="12" fill="#333333">'
    )
    return "\n".join(
        [
            head,
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            f'<text x="{LEFT}" y="17">{escape(title)}</text>',
            *parts,
            "</svg>\n",
        ]
    )
