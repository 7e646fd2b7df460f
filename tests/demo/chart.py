"""Which version answered, second by second: a column a moment, stacked to the full height. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tests.demo import palette
from tests.demo.snapshot import Moment

SECONDS = 60
EIGHTHS = " ▁▂▃▄▅▆▇"
Segment = tuple[int, str]  # up to which eighth of the column, in which colour


def rows(
    moments: Sequence[Moment], versions: Sequence[str], *, width: int, height: int, solid: bool = False
) -> list[Text]:
    """`height` lines, the top one first; the latest moment stands at the right edge.

    `solid`: whole characters only, for a picture in which block characters would not touch.
    """
    span = seconds(moments, solid=solid)
    stacks = [_rounded(stack(moment, versions, height * 8), solid=solid) for moment in moments[-span:]]
    blank = [[(height * 8, palette.EMPTY)]] * (span - len(stacks))
    columns = [(blank + stacks)[place * span // width] for place in range(width)]
    return [_row(columns, row * 8) for row in reversed(range(height))]


def seconds(moments: Sequence[Moment], *, solid: bool = False) -> int:
    """How long a time is shown: a picture, which stands still, has no empty part."""
    return min(SECONDS, len(moments) or SECONDS) if solid else SECONDS


def stack(moment: Moment, versions: Sequence[str], height: int) -> list[Segment]:
    """Segments from the bottom up, `height` eighths in all; what failed is never rounded away."""
    if not moment.total:
        return [(height, palette.EMPTY)]
    failed = max(1, round(height * moment.failed / moment.total)) if moment.failed else 0
    segments: list[Segment] = []
    served = 0
    for version in sorted(version for version, count in moment.answers.items() if count):
        served += moment.answers[version]
        top = round((height - failed) * served / (moment.total - moment.failed))
        segments.append((top, palette.of_version(version, versions)))
    return [*segments, (height, palette.FAILED)] if failed else segments


def _rounded(column: list[Segment], *, solid: bool) -> list[Segment]:
    if not solid:
        return column
    height, uppermost = column[-1]
    room = height - 8 if uppermost == palette.FAILED else height
    return [*((min(room, round(top / 8) * 8), colour) for top, colour in column[:-1]), column[-1]]


def _row(columns: Sequence[Sequence[Segment]], bottom: int) -> Text:
    """Neighbours that look alike become one span: less for a terminal to draw, and for a picture to hold."""
    cells = itertools.groupby(_cell(column, bottom) for column in columns)
    return Text.assemble(*((character * len(list(alike)), style) for (character, style), alike in cells))


def _cell(column: Sequence[Segment], bottom: int) -> tuple[str, Style]:
    """One character: the lowest colour in it, and above that one more where there is any."""
    inside = [(top, colour) for top, colour in column if top > bottom]
    top, colour = inside[0]
    if top >= bottom + 8:
        return " ", Style(bgcolor=colour)
    return EIGHTHS[top - bottom], Style(color=colour, bgcolor=_above(inside, bottom + 8))


def _above(inside: Sequence[Segment], end: int) -> str:
    """The next colour; a character has two only, and what failed goes before all others."""
    colours = [colour for (begin, _), (_, colour) in itertools.pairwise(inside) if begin < end]
    return palette.FAILED if palette.FAILED in colours else colours[0]
