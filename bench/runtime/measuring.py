"""The rounds: servers are started, held, and asked one after the other, each alone on its core.

All servers of a round are up at once but only one of them may run, so that the two whose speeds are
compared are measured within seconds of each other. Knows no results' meaning.
"""

import contextlib
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.runtime import bundles, client, paths, process, servers, texts
from bench.runtime.client import Load, Outcome
from bench.runtime.plan import IDLE_SECONDS, LIMIT_CLIENTS, Plan, Point
from bench.runtime.process import Running
from bench.runtime.records import Key, Kind, Records
from bench.runtime.servers import Server

_WARM_UP = Load(connections=4, seconds=0.4)
_LIMIT_TIMEOUT = 120
# Some go on computing for clients that have gone: 256 of them.
_LEFT_OVER_SECONDS = 4.0

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the servers have and which one the client; None where there is only one core."""

    server: int | None
    client: int | None


def cores() -> Cores:
    """The first two cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1]) if len(usable) > 1 else Cores(None, None)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements of a run need."""

    records: Records
    cores: Cores
    runtime: Path
    told: Told

    def load(self, running: Running, load: Load) -> Outcome:
        """Send a load to a server that may run. Raises ServerError when it ended on the way."""
        outcome = client.send(running.url, bodies(running.server), load, core=self.cores.client)
        running.check()
        return outcome


def run(plan: Plan, bench: Bench, *, until: float) -> None:
    """The rounds of the plan that can be done `until` then (monotonic seconds), but at least the first.

    What is in the records already is not measured again.
    """
    for round_ in range(1, plan.rounds + 1):
        if round_ > 1 and time.monotonic() + plan.round_seconds(round_) > until:
            bench.told(f"there is no time for round {round_}")
            return
        for model in plan.models:
            _round(plan, model, round_, bench)


def bodies(server: Server) -> Path:
    """The file of the requests in this server's form, one for each of the 512 texts."""
    file = paths.STATE / f"requests-{server.form}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(map(server.body, texts.texts())))
    return file


def bundle(model: str) -> Path:
    return bundles.write(paths.STATE / "models", model)


def _round(plan: Plan, model: str, round_: int, bench: Bench) -> None:
    chosen = plan.servers_of(round_, bench.records)
    wanted = [
        (point, server)
        for point in plan.points_of(model)
        for server in chosen
        if plan.tries(round_, server, point)
    ]
    missing = [(point, one) for point, one in wanted if _key(point, one, round_) not in bench.records]
    if not missing:
        return
    with contextlib.ExitStack() as stack:
        started = {
            server.name: _held(stack, server, model, round_, bench)
            for server in dict.fromkeys(server for _, server in missing)
        }
        for point in dict.fromkeys(point for point, _ in missing):
            asked = [started[server.name] for at, server in missing if at is point]
            _measure(point, asked, round_, bench, limit=plan.thorough and point.connections == LIMIT_CLIENTS)
        for running in started.values():
            key = Key(Kind.MEMORY, round_, model, running.server.name)
            bench.records.add(key, {"mb": running.resident_mb()})
        if plan.thorough and model == plan.models[0] and round_ == min(2, plan.rounds):
            for running in started.values():
                _idle(running, Key(Kind.IDLE, round_, model, running.server.name), bench)


def _held(stack: contextlib.ExitStack, server: Server, model: str, round_: int, bench: Bench) -> Running:
    """A server that has been started, has answered, and is stopped where it is."""
    bench.told(f"round {round_}, {model}: start {server.title}")
    running = stack.enter_context(
        process.running(server, bundle(model), core=bench.cores.server, runtime=bench.runtime)
    )
    bench.records.add(Key(Kind.START, round_, model, server.name), {"seconds": running.start_seconds})
    bench.load(running, _WARM_UP)
    running.hold()
    return running


def _measure(point: Point, asked: list[Running], round_: int, bench: Bench, *, limit: bool) -> None:
    """Each server in turn, and where there are more visits, the other way round; `limit`: onnxruntime too."""
    found: dict[str, list[Outcome]] = {running.server.name: [] for running in asked}
    limits = []
    for visit in range(point.visits):
        for running in asked if visit % 2 == 0 else asked[::-1]:
            if limit and running.server is servers.OURS:
                limits.append(_limit(point.model, round_, bench))  # now: it is a pair with what comes next
            found[running.server.name].append(_visit(point, running, round_, bench))
    for running in asked:
        bench.records.add(_key(point, running.server, round_), _values(found[running.server.name]))
    if limits:
        means = {name: statistics.mean(one[name] for one in limits) for name in limits[0]}
        bench.records.add(Key(Kind.LIMIT, round_, point.model, "onnxruntime"), means)


def _visit(point: Point, running: Running, round_: int, bench: Bench) -> Outcome:
    bench.told(f"round {round_}, {point.model}, {point.connections} clients: {running.server.title}")
    load = Load(point.connections, point.seconds, warm_up=point.warm_up, answers=point.answers)
    with _going(running):
        return bench.load(running, load)


def _values(visits: Sequence[Outcome]) -> Mapping[str, float]:
    """Their rate over all, and the means of what each had as its p50 and p99."""
    served = [outcome.statuses[200] for outcome in visits if 200 in outcome.statuses]
    return {
        "rate": sum(group.count for group in served) / sum(outcome.seconds for outcome in visits),
        "failed": sum(outcome.failed for outcome in visits),
        "p50": statistics.mean(group.p50 for group in served) if served else 0.0,
        "p99": statistics.mean(group.p99 for group in served) if served else 0.0,
    }


def _idle(running: Running, key: Key, bench: Bench) -> None:
    """The share of a core that it takes while nobody asks."""
    bench.told(f"round {key.round}, idle: {running.server.title}")
    with _going(running):
        time.sleep(_LEFT_OVER_SECONDS)
        before, began = running.cpu_seconds(), time.monotonic()
        time.sleep(IDLE_SECONDS)
        share = (running.cpu_seconds() - before) / (time.monotonic() - began)
    bench.records.add(key, {"cpu_percent": 100 * share})


@contextlib.contextmanager
def _going(running: Running) -> Iterator[None]:
    running.go_on()
    try:
        yield
    finally:
        running.hold()


def _limit(model: str, round_: int, bench: Bench) -> Mapping[str, float]:
    """Rows a second of the same core without a server: `alone`, and `sorted` by length."""
    bench.told(f"round {round_}, {model}: onnxruntime without a server")
    words = [] if bench.cores.server is None else ["taskset", "-c", str(bench.cores.server)]
    done = subprocess.run(
        [*words, str(servers.PLAIN.python()), str(servers.PEERS / "limit.py")],
        input=json.dumps(texts.texts()) + "\n",
        env={"BENCH_MODEL": str(bundle(model)), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=_LIMIT_TIMEOUT,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _key(point: Point, server: Server, round_: int) -> Key:
    return Key(Kind.LOAD, round_, point.model, server.name, point.connections)
