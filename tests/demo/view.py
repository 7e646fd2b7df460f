"""What a person sees in a terminal: a snapshot in, a rich renderable out. Pure.

Fits 80 columns by 24 lines; what is larger gives more pods and a longer, higher chart.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.align import Align
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tests.demo import chart, palette
from tests.demo.manifests import FIRST, SECOND
from tests.demo.snapshot import Facts, Pod, PodState, Snapshot, StepState, StepView, Traffic

VERSIONS = (FIRST, SECOND)
NUMBERS = 26
FIXED_LINES = 7  # sentence, headings, blank lines, the two lines at the end
ROOMY = 30  # so many lines leave some for air
MARKS = {
    StepState.AHEAD: ("·", palette.QUIET),
    StepState.RUNNING: ("▸", "bold"),
    StepState.DONE: ("✓", palette.GOOD),
    StepState.FAILED: ("✗", palette.FAILED),
}
STATES = {
    PodState.SERVING: palette.GOOD,
    PodState.FAILED: palette.FAILED,
    PodState.DRAINING: palette.QUIET,
}


def render(snapshot: Snapshot, *, width: int, height: int, solid: bool = False) -> RenderableType:
    """At most `height` lines of at most `width` columns; for `solid` see the chart."""
    facts = snapshot.facts
    versions = _versions(facts)
    moments = facts.traffic.moments if facts.traffic else ()
    air = [Text()] if height >= ROOMY else []
    spare = max(2, height - FIXED_LINES - 2 * len(air) - len(snapshot.steps))
    places = max(1, min(max(4, len(facts.pods)), spare // 2, 8))
    columns = width - 2
    return Padding(
        Group(
            _sentence(),
            *air,
            _beside(_steps(snapshot.steps), _numbers(facts.traffic, versions), columns),
            Text(),
            _pods(facts.pods, versions, places, columns),
            Text(),
            _legend(facts.traffic, versions, chart.seconds(moments, solid=solid), columns),
            *chart.rows(
                moments,
                versions,
                width=columns,
                height=min(12, max(1, spare - places)),
                solid=solid,
            ),
            *air,
            _says(facts, columns),
            _command(snapshot.command, columns),
        ),
        (0, 1),
    )


def _sentence() -> Text:
    first, second = ((f"version {version}", palette.of_version(version, VERSIONS)) for version in VERSIONS)
    end = " and back under load: no request may fail."
    return Text.assemble(
        ("Slipway  ", "bold"), "From ", first, " to ", second, end, no_wrap=True, overflow="ellipsis"
    )


def _beside(left: RenderableType, right: RenderableType, width: int) -> Table:
    grid = Table.grid(padding=0)
    grid.add_column(width=width - NUMBERS)
    grid.add_column(width=NUMBERS)
    grid.add_row(left, right)
    return grid


def _steps(steps: Iterable[StepView]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", min_width=7)
    for step in steps:
        mark, style = MARKS[step.state]
        ahead = step.state is StepState.AHEAD
        table.add_row(
            Text(mark, style=style),
            Text(
                step.title,
                style=palette.QUIET if ahead else "bold" if step.state is StepState.RUNNING else "",
            ),
            Text("" if ahead else f"{step.seconds:.1f} s", style=palette.QUIET),
        )
    return table


def _numbers(traffic: Traffic | None, versions: list[str]) -> RenderableType:
    if traffic is None:
        return Text("no requests yet", style=palette.QUIET, justify="right")
    table = Table.grid(expand=True)
    table.add_column(style=palette.QUIET)
    table.add_column(justify="right", style="bold")
    table.add_row("requests", f"{traffic.requests:,}")
    table.add_row("a second", f"{traffic.rate:,.0f}")
    shares = traffic.shares()
    for version in versions[:2]:
        colour = palette.of_version(version, versions)
        table.add_row(Text(f"from version {version}", style=colour), f"{shares.get(version, 0):.0%}")
    return Group(table, Text(), _failures(traffic))


def _failures(traffic: Traffic) -> Group:
    """The one number that counts, too large to be overlooked."""
    style = f"bold white on {palette.FAILED if traffic.failed else palette.GOOD}"
    block = Align.center(Text(f"{traffic.failed:,} FAILED", style=style), style=style, width=NUMBERS)
    blank = Text(" " * NUMBERS, style=style)
    return Group(blank, block, blank, *_reasons(traffic))


def _reasons(traffic: Traffic) -> list[Text]:
    if not traffic.reasons:
        return []
    reason, count = max(traffic.reasons.items(), key=lambda item: item[1])
    return [Text(f"{count:,} x {reason}", style=palette.FAILED, no_wrap=True, overflow="ellipsis")]


def _pods(pods: tuple[Pod, ...], versions: list[str], places: int, width: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, room in (("pod", min(40, width - 38)), ("version", 9), ("state", 9), ("node", 12)):
        table.add_column(width=room, no_wrap=True, overflow="ellipsis")
        table.columns[-1].header = name
    table.add_row(*(Text(str(column.header), style=palette.QUIET) for column in table.columns))
    surplus = len(pods) - places
    # The newest matter most: the oldest are the first to go unnamed.
    for pod in pods[surplus + 1 if surplus > 0 else 0 :]:
        table.add_row(*_pod(pod, versions))
    if surplus > 0:
        table.add_row(Text(f"… and {surplus + 1} older ones", style=palette.QUIET))
    for _ in range(places - len(pods)):
        table.add_row("")
    return table


def _pod(pod: Pod, versions: list[str]) -> tuple[Text, ...]:
    leaving = palette.QUIET if pod.state is PodState.DRAINING else ""
    return (
        Text(pod.name, style=leaving),
        Text(f"■ {pod.version}", style=palette.of_version(pod.version, versions)),
        Text(pod.state, style=STATES.get(pod.state, "")),
        Text(pod.node, style=leaving),
    )


def _legend(traffic: Traffic | None, versions: list[str], seconds: int, width: int) -> Table:
    grid = Table.grid(padding=0)
    grid.add_column(width=width - 36)
    grid.add_column(width=36, justify="right")
    known = Text()
    for version in versions:
        known.append(f"  ■ version {version}", style=palette.of_version(version, versions))
    if traffic and traffic.failed:
        known.append("  ■ failed", style=palette.FAILED)
    grid.add_row(Text(f"who answered, over {seconds} seconds", style=palette.QUIET), known)
    return grid


def _says(facts: Facts, width: int) -> Text:
    if facts.problem:
        return _line(f"! {facts.problem}", palette.FAILED, width)
    if facts.model is None:
        return _line("no model", palette.QUIET, width)
    return _line(f"{facts.model.step or 'new'}: {facts.model.message}", "", width)


def _command(command: str, width: int) -> Text:
    return _line(f"$ {command}" if command else "", palette.QUIET, width)


def _line(text: str, style: str, width: int) -> Text:
    line = Text(" ".join(text.split()), style=style, no_wrap=True, overflow="ellipsis")
    line.truncate(width, overflow="ellipsis")
    return line


def _versions(facts: Facts) -> list[str]:
    """Every version that there is to be seen."""
    answered = facts.traffic.versions() if facts.traffic else []
    asked = [facts.model.version] if facts.model else []
    return sorted({*answered, *asked, *(pod.version for pod in facts.pods)})
