"""A report for people: rich tables on a terminal, the same as plain text in a file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tests.ledger.report import Example, Latency, Report
from tests.ledger.switches import Sight, Switch


def render(report: Report) -> Group:
    """Return what `rich.console.Console.print` shows."""
    parts: list[RenderableType] = [_classes(report)]
    if report.switches:
        parts.append(_switches(report.switches))
    if report.failures:
        parts.append(_failures(report))
    parts += [Text(f"! {finding}", style="bold red") for finding in report.findings]
    return Group(*parts, _sentence(report))


def plain(report: Report, width: int = 110) -> str:
    """Return the same without colours or control characters."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(render(report), soft_wrap=True)  # a sentence stays one line, to be found by grep
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _sentence(report: Report) -> Text:
    text = Text(f"{report.requests:,} requests in {report.seconds:.1f} s, {report.failed:,} failed")
    if report.unaccounted:
        text.append(f" ({report.unaccounted:,} of them unaccounted for: their records are missing)")
    text.append(f"; version switches seen: {len(report.switches)}")
    text.stylize("bold green" if report.passed else "bold red")
    return text


def _classes(report: Report) -> Table:
    versions = sorted({version for line in report.classes for version in line.versions})
    table = _table(
        "Requests", ["clients", "requests", "failed", *(f"from {version}" for version in versions)]
    )
    for heading in ("p50 ms", "p95 ms", "p99 ms", "worst ms"):
        table.add_column(heading, justify="right")
    for line in report.classes:
        answers = (f"{line.versions.get(version, 0):,}" for version in versions)
        table.add_row(
            line.client_class,
            f"{line.requests:,}",
            f"{line.failed:,}",
            *answers,
            *_milliseconds(line.latency),
        )
    return table


def _switches(switches: Iterable[Switch]) -> Table:
    headings = ["switch", "clients", "first of the new", "last of the old", "both for"]
    table = _table("Switches, as the clients saw them", headings)
    for switch in switches:
        table.add_row(f"{switch.old} → {switch.new}", "all", *_sight(switch.seen))
        for name, sight in switch.by_class.items():
            table.add_row("", name, *_sight(sight))
    return table


def _failures(report: Report) -> Table:
    table = _table("Failures", ["clients", "reason", "count", "first examples"])
    for failure in report.failures:
        examples = "\n".join(_example(example) for example in failure.examples)
        table.add_row(failure.client_class, failure.reason, f"{failure.count:,}", examples)
    table.columns[1].justify = table.columns[3].justify = "left"
    return table


def _table(title: str, headings: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="right" if position else "left")
    return table


def _milliseconds(latency: Latency | None) -> list[str]:
    if latency is None:
        return ["-"] * 4
    return [f"{seconds * 1000:.1f}" for seconds in (latency.p50, latency.p95, latency.p99, latency.worst)]


def _sight(sight: Sight) -> list[str]:
    both = "-" if sight.first_new is None or sight.last_old is None else f"{sight.overlap:.2f} s"
    return [_clock(sight.first_new), _clock(sight.last_old), both]


def _example(example: Example) -> str:
    connection = f"connection {example.age:.1f} s old" if example.reused else "new connection"
    pod = f", {example.pod}" if example.pod else ""
    return f"{_clock(example.sent_at)} {example.id}, {connection}{pod}"


def _clock(at: float | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
