"""A run's records as JSON, as tables in Markdown and as charts. Pure but for the files it writes."""

import json
import math
import re
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.runtime import comparing, paths, plot, verdicts
from bench.runtime.plan import Plan
from bench.runtime.records import Kind, Records
from bench.runtime.servers import OURS, Server
from bench.runtime.verdicts import Verdict

DOCS = paths.ROOT / "docs"
PAGE = DOCS / "benchmarks.md"
RESULTS = DOCS / "benchmarks.json"
_NONE = "—"
_BEGIN, _END = "<!-- results: begin -->", "<!-- results: end -->"
_MODELS = {"base": "the base model", "tiny": "the tiny model"}


@dataclass(frozen=True, slots=True)
class Report:
    """What is reported: a plan, what came of it, and what it was measured on."""

    plan: Plan
    records: Records
    machine: Mapping[str, str]

    def publish(self, judged: list[Verdict]) -> list[Path]:
        """Write the JSON, the charts, and the tables between the page's marks. Returns the files."""
        charts = {DOCS / "images" / f"bench-{name}.svg": chart for name, chart in self._charts()}
        for file, chart in charts.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(plot.draw(chart))
        RESULTS.write_text(json.dumps(self._document(judged), indent=1) + "\n")
        replaced = _between(PAGE.read_text(), "\n\n".join(self._sections(judged)))
        PAGE.write_text(replaced)
        return [*charts, RESULTS, PAGE]

    def _document(self, judged: list[Verdict]) -> dict[str, object]:
        return {
            "machine": dict(self.machine),
            "verdicts": [asdict(verdict) for verdict in judged],
            "records": [
                {**asdict(one.key), **{name: round(value, 3) for name, value in one.values.items()}}
                for one in self.records
            ],
        }

    def _sections(self, judged: list[Verdict]) -> Iterator[str]:
        yield " · ".join(f"{name} {fact}" for name, fact in self.machine.items())
        yield f"Medians of {self._rounds()} rounds; in brackets the 95 % interval of the rounds' ratios."
        yield "### Goals"
        yield verdict_table(judged)
        for model in self.plan.models:
            yield f"### {_MODELS[model].capitalize()}"
            yield f"![Answers a second](images/bench-{model}-rate.svg)"
            yield f"![Latency](images/bench-{model}-p99.svg)"
            yield self._speed_table(model, self._shown())
            yield self._ratio_table(model)
        yield "### Beside the load"
        yield self._footprint_table()
        yield "### Configurations that were not taken"
        yield self._other_configurations()

    def _rounds(self) -> int:
        return max((one.key.round for one in self.records if one.key.kind is Kind.LOAD), default=0)

    def _shown(self) -> list[Server]:
        best = self.plan.best(self.records)
        return [OURS, *(server for server in best if server is not OURS)]

    def _speed_table(self, model: str, shown: list[Server]) -> str:
        clients = [point.connections for point in self.plan.points_of(model)]
        head = ["answers a second · p50 / p99 ms", *(_clients(number) for number in clients)]
        rows = [
            [_bold(server), *(self._cell(model, server, number) for number in clients)] for server in shown
        ]
        limit = {name: self._median(Kind.LIMIT, name, model=model) for name in ("alone", "sorted")}
        note = (
            f"onnxruntime without a server, texts to labels on the same core: "
            f"{limit['alone']:.0f} rows a second one by one, {limit['sorted']:.0f} in eights of like length."
        )
        return f"{_table(head, rows)}\n\n{note}"

    def _cell(self, model: str, server: Server, connections: int) -> str:
        key = {"model": model, "server": server.name, "connections": connections}
        rate, p50, p99 = (self._median(Kind.LOAD, name, **key) for name in ("rate", "p50", "p99"))
        if math.isnan(rate):
            return _NONE
        failed = sum(self.records.values(Kind.LOAD, "failed", **key).values())
        cell = f"{rate:.0f} · {_short(p50)} / {_short(p99)}"
        return f"{cell} ({failed:.0f} failed)" if failed else cell

    def _ratio_table(self, model: str) -> str:
        clients = [point.connections for point in self.plan.points_of(model)]
        head = ["Slipway over", *(_clients(number) for number in clients)]
        rows = [
            [server.title, *(self._ratio(model, server, number) for number in clients)]
            for server in self._shown()
            if server is not OURS
        ]
        return _table(head, rows)

    def _ratio(self, model: str, server: Server, connections: int) -> str:
        ours = self.records.rates(model, OURS.name, connections)
        theirs = self.records.rates(model, server.name, connections)
        if not ours.keys() & theirs.keys():
            return _NONE
        return verdicts.shown(comparing.ratio(ours, theirs))

    def _footprint_table(self) -> str:
        head = ["", "idle, % of a core", "memory after the load, MB", "start, s"]
        rows = [[_bold(server), *self._footprint(server)] for server in self._shown()]
        return _table(head, rows)

    def _footprint(self, server: Server) -> list[str]:
        model = self.plan.models[0]
        idle = self._median(Kind.IDLE, "cpu_percent", server=server.name)
        memory = self._median(Kind.MEMORY, "mb", server=server.name, model=model)
        start = self._median(Kind.START, "seconds", server=server.name, model=model)
        return [f"{idle:.2f}", f"{memory:.0f}", f"{start:.1f}"]

    def _other_configurations(self) -> str:
        """Measured in the first round only: how the best of each kind was found."""
        shown = self._shown()
        clients = [(point.model, point.connections) for point in self.plan.trials]
        head = ["answers a second, once", *(f"{model} {number}" for model, number in clients)]
        rows = [
            [server.title, *(self._once(model, server, number) for model, number in clients)]
            for server in self.plan.servers
            if server not in shown
        ]
        return _table(head, rows)

    def _once(self, model: str, server: Server, connections: int) -> str:
        rate = self.records.rates(model, server.name, connections).get(1)
        return _NONE if rate is None else f"{rate:.0f}"

    def _charts(self) -> Iterator[tuple[str, plot.Chart]]:
        for model in self.plan.models:
            clients = [point.connections for point in self.plan.points_of(model)]
            ceiling = self._median(Kind.LIMIT, "sorted", model=model)
            rates, waits = self._lines(model, "rate"), self._lines(model, "p99")
            name = _MODELS[model]
            over = ("onnxruntime alone, in eights of like length", ceiling) if model == "base" else None
            yield (
                f"{model}-rate",
                plot.Chart(f"Answers a second, {name}", "a second", clients, rates, ceiling=over),
            )
            title = f"99 % of the answers come within, {name}"
            yield f"{model}-p99", plot.Chart(title, "ms", clients, waits, logarithmic=True)

    def _lines(self, model: str, name: str) -> dict[str, list[float]]:
        clients = [point.connections for point in self.plan.points_of(model)]
        return {
            server.title: [
                self._median(Kind.LOAD, name, model=model, server=server.name, connections=number)
                for number in clients
            ]
            for server in self._shown()
        }

    def _median(self, kind: Kind, name: str, **wanted: object) -> float:
        """Over the rounds; NaN when there is none."""
        values = self.records.values(kind, name, **wanted).values()
        return statistics.median(values) if values else float("nan")


def verdict_table(judged: list[Verdict]) -> str:
    """The goals with what was found, for the page and for the terminal."""
    words = {True: "reached", False: "**missed**", None: "not measured"}
    return _table(["goal", "found", ""], [[one.goal, one.found, words[one.reached]] for one in judged])


def _between(page: str, content: str) -> str:
    pattern = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{_BEGIN}\n{content}\n{_END}", page)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _clients(number: int) -> str:
    return "1 client" if number == 1 else f"{number} clients"


def _bold(server: Server) -> str:
    return f"**{server.title}**" if server is OURS else server.title


def _short(milliseconds: float) -> str:
    return f"{milliseconds:.1f}" if milliseconds < 10 else f"{milliseconds:.0f}"
