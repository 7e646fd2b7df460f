"""The rollouts of a soak, and the moments in them at which the operator is killed.

Must not know what is made of the evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.cluster.stages import stage
from tests.ledger.generator.load import ClientClass, Load, Rate
from tests.scenario.run import Run
from tests.soak import verdict

Moment = Callable[[Run, str], None]

# What two processors carry beside four pods of the model, with room to spare for the rollout.
LOAD = Load(
    paces={ClientClass.FAST: Rate(35), ClientClass.POOL: Rate(10), ClientClass.NEW: Rate(8)},
    max_seconds=3000.0,
)
LONGEST_LEG = 900.0
_PACE = {"minReadySeconds": 3, "bakeSeconds": 5, "keepWarmSeconds": 5}


def before_the_switch(run: Run, revision: str) -> None:
    """The Deployment is there, and no pod of it is ready."""
    run.wait_deployed(revision)


def after_the_switch(run: Run, revision: str) -> None:
    """The selector has moved; nothing has been noted yet."""
    run.wait_selected(revision)


def while_warm(run: Run, revision: str) -> None:
    """The old version is still hot."""
    run.wait_selected(revision)
    run.wait_step("KeepingWarm")


@dataclass(frozen=True, slots=True)
class Leg:
    """One rollout, and when the operator is killed in it."""

    version: str
    killed: Moment | None = None


LEGS = (
    Leg("2"),
    Leg("1", killed=before_the_switch),
    Leg("2"),
    Leg("1", killed=after_the_switch),
    Leg("2", killed=while_warm),
    Leg("1"),
)
SHARE = verdict.REQUESTS // (len(LEGS) + 1) + 100
"""Requests to be answered before the first leg and after each."""


def play(run: Run) -> None:
    """All of it. AssertionError says what did not come about."""
    with stage("version 1 serves"):
        run.operator.renew()
        run.apply("1", rollout=_PACE)
        run.wait_complete("1")
        run.send(LOAD)
    _answer(run)
    for leg in LEGS:
        with stage(_title(leg)):
            _roll(run, leg)
        _answer(run)


def _roll(run: Run, leg: Leg) -> None:
    kill = run.operator.aim()
    revision = run.apply(leg.version, rollout=_PACE)
    if leg.killed is not None:
        leg.killed(run, revision)
        kill()
        run.operator.wait()
    run.wait_complete(leg.version)


def _answer(run: Run) -> None:
    with stage(f"{SHARE:,} requests more, after {run.answered():,}"):
        run.send_more(SHARE, timeout=LONGEST_LEG)


def _title(leg: Leg) -> str:
    if leg.killed is None:
        return f"rollout to version {leg.version}"
    return f"rollout to version {leg.version}, the operator killed {leg.killed.__name__.replace('_', ' ')}"
