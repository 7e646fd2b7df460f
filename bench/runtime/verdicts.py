"""The goals, and whether a run's records reach them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.runtime import comparing, overload
from bench.runtime.comparing import Interval
from bench.runtime.plan import LIMIT_CLIENTS, Plan
from bench.runtime.records import Kind, Records
from bench.runtime.servers import NAIVE, OURS, PLAIN, Server

IDLE_PERCENT = 0.5
ADDED_MS = 0.5
_LIMIT_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Verdict:
    """One goal, what was found, and whether it is reached; `reached` is None when it was not measured."""

    goal: str
    found: str
    reached: bool | None


@dataclass(frozen=True, slots=True)
class _Goal:
    """Ours over the fastest of some servers, on one model at one number of clients."""

    model: str
    connections: int
    factor: float
    among: str
    servers: Sequence[Server]


def judge(plan: Plan, records: Records) -> list[Verdict]:
    """Every goal of the runtime."""
    return [
        *(_judge(goal, records) for goal in _goals(plan, records)),
        _of_the_limit(records),
        _added_latency(records),
        _idle(records),
        *_beyond(records),
    ]


def fastest(among: Sequence[Server], model: str, connections: int, records: Records) -> Server | None:
    """The one with the highest median rate; None when none was measured."""
    rates = {server: records.rates(model, server.name, connections) for server in among}
    medians = {
        server: comparing.bootstrap(list(found.values())).median for server, found in rates.items() if found
    }
    return max(medians, key=lambda server: medians[server]) if medians else None


def _goals(plan: Plan, records: Records) -> Iterator[_Goal]:
    peers = [server for server in plan.best(records) if server is not OURS]
    products = [server for server in peers if server.third_party]
    yield _Goal("base", 1, 1.0, "the best peer", peers)
    yield _Goal("base", 64, 1.3, "the best peer", peers)
    yield _Goal("base", 256, 1.3, "the best peer", peers)
    yield _Goal("tiny", 1, 1.2, "the best peer", peers)
    yield _Goal("tiny", 64, 2.2, "the best product", products)
    yield _Goal("tiny", 64, 1.6, "the 32 rows or 20 ms loop", [NAIVE])


def _judge(goal: _Goal, records: Records) -> Verdict:
    clients = "1 client" if goal.connections == 1 else f"{goal.connections} clients"
    title = f"{goal.model}, {clients}: at least {goal.factor:g}x {goal.among}"
    best = fastest(goal.servers, goal.model, goal.connections, records)
    ours = records.rates(goal.model, OURS.name, goal.connections)
    if best is None or not ours:
        return Verdict(title, "not measured", None)
    found = comparing.ratio(ours, records.rates(goal.model, best.name, goal.connections))
    return Verdict(title, f"{shown(found)} {best.title}", found.reaches(goal.factor))


def _of_the_limit(records: Records) -> Verdict:
    title = f"base, {LIMIT_CLIENTS} clients: at least {_LIMIT_SHARE:g}x onnxruntime's sorted limit"
    ours = records.rates("base", OURS.name, LIMIT_CLIENTS)
    limit = records.values(Kind.LIMIT, "sorted", model="base")
    if not ours or not limit:
        return Verdict(title, "not measured", None)
    found = comparing.ratio(ours, limit)
    return Verdict(title, shown(found), found.reaches(_LIMIT_SHARE))


def _added_latency(records: Records) -> Verdict:
    title = f"alone: at most {ADDED_MS:g} ms slower than FastAPI with the same model"
    ours, plain = (
        records.values(Kind.LOAD, "p50", model="tiny", server=server.name, connections=1)
        for server in (OURS, PLAIN)
    )
    if not ours or not plain:
        return Verdict(title, "not measured", None)
    found = comparing.difference(ours, plain)
    text = f"{found.median:+.2f} ms [{found.low:+.2f}, {found.high:+.2f}]"
    return Verdict(title, text, found.high <= ADDED_MS)


def _idle(records: Records) -> Verdict:
    title = f"idle: at most {IDLE_PERCENT:g} % of a core"
    shares = records.values(Kind.IDLE, "cpu_percent", server=OURS.name)
    if not shares:
        return Verdict(title, "not measured", None)
    share = max(shares.values())
    return Verdict(title, f"{share:.2f} %", share <= IDLE_PERCENT)


def _beyond(records: Records) -> Iterator[Verdict]:
    for rule in overload.RULES:
        found = next((record.values for record in records if record.key.kind is rule.kind), None)
        if found is None:
            yield Verdict(rule.title, "not measured", None)
        else:
            yield Verdict(rule.title, rule.shown(found), rule.holds(found))


def shown(found: Interval) -> str:
    """As in the tables: the median, then its interval."""
    return f"{found.median:.2f}x [{found.low:.2f}, {found.high:.2f}]"
