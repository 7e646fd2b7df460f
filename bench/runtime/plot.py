"""Lines over the number of clients, or other steps, as SVG, drawn by hand. Pure; needs no library."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 800, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 250, 44, 44
OURS_COLOUR = "#cc3311"
COLOURS = ("#4477aa", "#228833", "#ccbb44", "#aa3377", "#66ccee", "#777777", "#004488", "#bb5566")


@dataclass(frozen=True, slots=True)
class Chart:
    """What to draw: `lines` has the values of each server at each number of clients, the first is ours.

    `axis`: what the numbers below are, where they are not of clients.
    """

    title: str
    unit: str
    clients: Sequence[int]
    lines: Mapping[str, Sequence[float]]
    logarithmic: bool = False
    ceiling: tuple[str, float] | None = None
    axis: str = "clients"


def draw(chart: Chart) -> str:
    """A whole SVG document."""
    scale = _Scale(chart)
    parts = [*_grid(scale), *_ceiling(scale), *_lines(scale), *_legend(chart)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' font-family="system-ui, sans-serif" font-size="12" fill="#333333">'
    )
    title = escape(chart.title)
    frame = [
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="14">{title}</text>',
    ]
    return "\n".join([head, *frame, *parts, "</svg>\n"])


class _Scale:
    """From clients and values to places."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        values = [value for line in chart.lines.values() for value in line if value > 0]
        values += [chart.ceiling[1]] if chart.ceiling else []
        self.top = _round_up(max(values, default=1.0))
        self.bottom = _round_down(min(values, default=1.0)) if chart.logarithmic else 0.0

    def x(self, index: int) -> float:
        """Of the number of clients at `index`; they stand at equal distances."""
        return LEFT + (index + 0.5) * (WIDTH - LEFT - RIGHT) / len(self.chart.clients)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - self._share(value) * (HEIGHT - TOP - BOTTOM)

    def ticks(self) -> list[float]:
        if not self.chart.logarithmic:
            return [self.top * part / 4 for part in range(5)]
        decades = range(round(math.log10(self.bottom)), round(math.log10(self.top)) + 1)
        return [10.0**decade for decade in decades]

    def _share(self, value: float) -> float:
        if not self.chart.logarithmic:
            return value / self.top
        return math.log10(max(value, self.bottom) / self.bottom) / math.log10(self.top / self.bottom)


def _round_up(value: float) -> float:
    unit = 10.0 ** math.floor(math.log10(value))
    return next(unit * factor for factor in (1, 2, 2.4, 3, 4, 6, 8, 10) if unit * factor >= value)


def _round_down(value: float) -> float:
    return 10.0 ** math.floor(math.log10(value))


def _grid(scale: _Scale) -> Iterable[str]:
    right = WIDTH - RIGHT
    if scale.chart.logarithmic:
        scale.top = 10.0 ** math.ceil(math.log10(scale.top))
    for tick in scale.ticks():
        y = scale.y(tick)
        yield f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
    yield f'<text x="{LEFT}" y="{TOP - 8}" fill="#777777">{escape(scale.chart.unit)}</text>'
    for index, clients in enumerate(scale.chart.clients):
        x = scale.x(index)
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{clients}</text>'
    middle, axis = (LEFT + right) / 2, escape(scale.chart.axis)
    yield f'<text x="{middle:.1f}" y="{HEIGHT - 8}" text-anchor="middle" fill="#777777">{axis}</text>'


def _ceiling(scale: _Scale) -> Iterable[str]:
    if scale.chart.ceiling is None:
        return
    label, value = scale.chart.ceiling
    y, right = scale.y(value), WIDTH - RIGHT
    place = f'x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"'
    yield f'<line {place} stroke="#333333" stroke-dasharray="5 4"/>'
    yield f'<text x="{LEFT + 4}" y="{y - 5:.1f}">{escape(label)}</text>'


def _lines(scale: _Scale) -> Iterable[str]:
    """The first line is drawn last, so that it lies on top."""
    for number, (name, values) in reversed(list(enumerate(scale.chart.lines.items()))):
        places = [(scale.x(index), scale.y(value)) for index, value in enumerate(values) if value > 0]
        colour, width = _colour(number), 3 if number == 0 else 1.6
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        for (x, y), value in zip(places, [value for value in values if value > 0], strict=True):
            hint = escape(f"{name}: {value:.4g} {scale.chart.unit}")
            place = f'cx="{x:.1f}" cy="{y:.1f}" r="{width + 1}"'
            yield f'<circle {place} fill="{colour}"><title>{hint}</title></circle>'


def _legend(chart: Chart) -> Iterable[str]:
    x = WIDTH - RIGHT + 14
    for number, name in enumerate(chart.lines):
        y = TOP + 6 + 20 * number
        yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{_colour(number)}"/>'
        weight = ' font-weight="bold"' if number == 0 else ""
        yield f'<text x="{x + 16}" y="{y}"{weight}>{escape(name)}</text>'


def _colour(number: int) -> str:
    return OURS_COLOUR if number == 0 else COLOURS[(number - 1) % len(COLOURS)]
