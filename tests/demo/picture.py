"""The most telling moment of a run as an SVG: `--record FILE`.

The file stands alone: it names no font that would have to be fetched, and no host.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from tests.demo import view
from tests.demo.snapshot import Snapshot, StepState

WIDTH, HEIGHT = 100, 34
TITLE = "make demo"
THEME = TerminalTheme(
    (13, 17, 23),
    (220, 226, 233),
    [(33, 38, 45), (229, 72, 77), (47, 158, 91), (242, 163, 58), (76, 155, 232), (180, 142, 173),
     (111, 193, 182), (220, 226, 233)],
)  # fmt: skip
TEMPLATE = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


class Film:
    """Looks at every snapshot that is shown, and keeps the most telling one."""

    def __init__(self, show: Callable[[], Snapshot]) -> None:
        self._show = show
        self._best: Snapshot | None = None

    def show(self) -> Snapshot:
        """The snapshot, for whoever shows it."""
        snapshot = self._show()
        if self._best is None or telling(snapshot) >= telling(self._best):
            self._best = snapshot
        return snapshot

    def save(self, file: Path) -> None:
        """Draw the kept one. Raises OSError when the file cannot be written."""
        if self._best is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(draw(self._best), encoding="utf-8")


def telling(snapshot: Snapshot) -> tuple[int, float]:
    """Later in the story is better, as long as both versions answer; then, the more evenly they do."""
    traffic = snapshot.facts.traffic
    shares = list(traffic.shares(2).values()) if traffic else []
    if len(shares) < 2 or min(shares) < 0.1:
        return 0, 0.0
    return sum(step.state is not StepState.AHEAD for step in snapshot.steps), min(shares)


def draw(snapshot: Snapshot) -> str:
    """The snapshot as an SVG."""
    console = Console(
        record=True,
        file=io.StringIO(),
        width=WIDTH,
        height=HEIGHT,
        force_terminal=True,
        color_system="truecolor",
    )
    console.print(view.render(snapshot, width=WIDTH, height=HEIGHT, solid=True))
    return console.export_svg(title=TITLE, theme=THEME, code_format=TEMPLATE, unique_id="demo")
