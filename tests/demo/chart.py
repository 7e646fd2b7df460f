"""Which version answered, second by second: a column a moment, stacked to the full height. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tests.demo import palette
from tests.demo.snapshot import Moment

EIGHTHS = " ▁▂▃▄▅▆▇"
Segment = tuple[int, str]  # up to which eighth of the column, in which colour


def rows(moments: Sequence[Moment], versions: Sequence[str], *, width: int, height: int) -> list[Text]:
    """`height` lines, the top one first; the latest moment stands at the right edge."""
    shown = moments[-width:]
    columns = [stack(moment, versions, height * 8) for moment in shown]
    lines = []
    for row in reversed(range(height)):
        line = Text(" " * (width - len(columns)), style=Style(bgcolor=palette.EMPTY))
        for column in columns:
            line.append(*_cell(column, row * 8))
        lines.append(line)
    return lines


def stack(moment: Moment, versions: Sequence[str], height: int) -> list[Segment]:
    """Segments from the bottom up, `height` eighths in all; what failed is never rounded away."""
    if not moment.total:
        return [(height, palette.EMPTY)]
    failed = max(1, round(height * moment.failed / moment.total)) if moment.failed else 0
    segments: list[Segment] = []
    served = 0
    for version in sorted(moment.answers):
        served += moment.answers[version]
        top = round((height - failed) * served / (moment.total - moment.failed))
        segments.append((top, palette.of_version(version, versions)))
    return [*segments, (height, palette.FAILED)]


def _cell(column: Sequence[Segment], bottom: int) -> tuple[str, Style]:
    """One character: the lowest colour in it, and the next above where there is one."""
    inside = [(top, colour) for top, colour in column if top > bottom]
    top, colour = inside[0]
    if top >= bottom + 8:
        return " ", Style(bgcolor=colour)
    return EIGHTHS[top - bottom], Style(color=colour, bgcolor=_next(inside, top))


def _next(inside: Sequence[Segment], top: int) -> str:
    return next(colour for following, colour in inside if following > top)
