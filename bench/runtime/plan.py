"""What is measured, for how long, and in which order. Pure."""

import dataclasses
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.runtime import servers, texts
from bench.runtime.records import Records
from bench.runtime.servers import Server

MODELS = ("base", "tiny")
TRIAL_CONNECTIONS = (1, 64)
LIMIT_CLIENTS = 256  # enough to choose from to come near what onnxruntime does without a server
IDLE_SECONDS = 10.0

_START_SECONDS = 2.6  # with the first load, which warms a server up; what it took on two cores
_LIMIT_SECONDS = 8.0
_BETWEEN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Point:
    """A load: so many clients, not counted for `warm_up` seconds, and then for the texts `cycles` times over.

    Whole cycles, because some texts take ten times as long as others: a part of them is up to 2 % dearer than
    the rest. A server that would take longer than `seconds` is counted for so long. There are `visits` in a
    round, each server's turn again after everybody's.
    """

    model: str
    connections: int
    warm_up: float
    seconds: float
    cycles: int
    visits: int = 1

    @property
    def answers(self) -> int:
        return self.cycles * texts.COUNT

    @property
    def visit_seconds(self) -> float:
        """How long one visit takes, about: most servers are through with the texts before the time is up."""
        return self.warm_up + 0.75 * self.seconds + _BETWEEN_SECONDS


# The slower a server is to turn its queue over, the longer it is looked at; the more the figures of a point
# are moved by what else the machine does, the more often.
POINTS = (
    Point("base", 1, warm_up=0.3, seconds=4.5, cycles=1, visits=2),
    Point("base", 8, warm_up=0.5, seconds=4.5, cycles=1),
    Point("base", 64, warm_up=1.0, seconds=6.0, cycles=2),
    Point("base", 256, warm_up=2.0, seconds=6.0, cycles=2, visits=2),
    Point("tiny", 1, warm_up=0.2, seconds=2.0, cycles=2, visits=3),
    Point("tiny", 8, warm_up=0.3, seconds=2.0, cycles=2),
    Point("tiny", 64, warm_up=0.4, seconds=3.0, cycles=4, visits=2),
    Point("tiny", 256, warm_up=0.6, seconds=3.0, cycles=4),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: how many rounds, of which servers."""

    rounds: int
    servers: Sequence[Server]
    models: Sequence[str] = MODELS
    points: Sequence[Point] = POINTS
    thorough: bool = True  # with the limit and the idle time of everybody

    def points_of(self, model: str) -> list[Point]:
        return [point for point in self.points if point.model == model]

    def tries(self, round_: int, server: Server, point: Point) -> bool:
        """Whether a server of this round is measured there: in the first one not all are everywhere."""
        return round_ > 1 or server.default or point in self.trials

    @property
    def trials(self) -> list[Point]:
        """The points that decide between the configurations of a kind."""
        return [point for point in self.points if point.connections in TRIAL_CONNECTIONS]

    def servers_of(self, round_: int, records: Records) -> list[Server]:
        """The servers of a round, in its order: every other round goes backwards.

        The first round has every configuration, the others the best one of each kind.
        """
        chosen = list(self.servers) if round_ == 1 else self.best(records)
        return chosen if round_ % 2 else chosen[::-1]

    def best(self, records: Records) -> list[Server]:
        """The configuration of each kind that was fastest in the first round, over the trials."""
        kinds = dict.fromkeys(server.kind for server in self.servers)
        return [max(self._of(kind), key=lambda one: self._speed(one, records)) for kind in kinds]

    def seconds(self) -> float:
        """How long the run is going to take, about."""
        idle = self._kinds * IDLE_SECONDS if self.thorough else 0.0
        return idle + sum(map(self.round_seconds, range(1, self.rounds + 1)))

    def round_seconds(self, round_: int) -> float:
        """How long one round takes, about."""
        visits = [(one, point) for one in self.servers for point in self.points if self.tries(1, one, point)]
        if round_ > 1:
            visits = [(one, point) for one in self.servers if one.default for point in self.points]
        loads = sum(point.visits * point.visit_seconds for _, point in visits)
        starts = len({one for one, _ in visits}) * len(self.models) * _START_SECONDS
        return loads + starts + (len(self.models) * _LIMIT_SECONDS if self.thorough else 0.0)

    @property
    def _kinds(self) -> int:
        return len({server.kind for server in self.servers})

    def _of(self, kind: str) -> list[Server]:
        return [server for server in self.servers if server.kind == kind and not server.reference]

    def _speed(self, server: Server, records: Records) -> float:
        """The logarithm of the geometric mean of its rates; without any, defaults come first."""
        rates = [records.rates(point.model, server.name, point.connections).get(1) for point in self.trials]
        known = [math.log(max(rate, 1e-3)) for rate in rates if rate is not None]
        return sum(known) / len(known) if known else float(server.default) - 100


def full(rounds: int) -> Plan:
    """Every server in every configuration."""
    return Plan(rounds, servers.SERVERS)


def quick() -> Plan:
    """Ours beside plain FastAPI, one client, two seconds: whether it works, not how fast it is.

    Both in this interpreter's environment, which has all that they need.
    """
    both = [
        dataclasses.replace(one, interpreter=Path(sys.executable)) for one in (servers.OURS, servers.PLAIN)
    ]
    point = Point("tiny", 1, warm_up=0.3, seconds=2.0, cycles=2)
    return Plan(1, both, models=("tiny",), points=(point,), thorough=False)
