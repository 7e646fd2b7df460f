"""What happens in the demo, step by step, and when each step is over. Pure: who does it is not known here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.demo.snapshot import Facts, PodState

REQUESTS = 20_000
OPENING_MOMENTS = 4
HOPELESS = ("Rejected", "Stopped")


@dataclass(frozen=True, slots=True)
class Clear:
    """Remove what an earlier demo left."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply the model at a version."""

    version: str


@dataclass(frozen=True, slots=True)
class StartTraffic:
    """Let the clients begin."""


@dataclass(frozen=True, slots=True)
class StopTraffic:
    """Let the clients end, and fetch all that they wrote down."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Do nothing: what was begun goes on by itself."""


Action = Clear | Apply | StartTraffic | StopTraffic | Watch
Condition = Callable[[Facts], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story: do this, then wait until that holds, at most `within` seconds."""

    title: str
    action: Action
    until: Condition
    within: float = 180.0


def story(first: str, second: str, *, requests: int = REQUESTS) -> tuple[Step, ...]:
    """From one version to the other and back, under load."""
    return (
        Step("nothing is left of an earlier demo", Clear(), is_empty),
        Step(f"version {first} is applied, and is ready", Apply(first), takes(first)),
        Step("clients send requests", StartTraffic(), has_begun),
        Step(f"version {second} is applied, and takes over", Apply(second), answers(second)),
        Step(f"version {first} drains and leaves", Watch(), is_alone(second)),
        Step(f"going back: version {first} takes over", Apply(first), answers(first)),
        Step(f"version {second} drains and leaves", Watch(), is_alone(first)),
        Step(f"at least {requests:,} requests", Watch(), has_sent(requests)),
        Step("every record is fetched and checked", StopTraffic(), always),
    )


def always(_: Facts) -> bool:
    """For an action that is over when it returns."""
    return True


def is_empty(facts: Facts) -> bool:
    """No model, no pod."""
    return facts.model is None and not facts.pods


def takes(version: str) -> Condition:
    """The operator says that this version has the traffic, and that all is well."""

    def holds(facts: Facts) -> bool:
        model = facts.model
        return model is not None and model.observed and model.ready and model.active == version

    return holds


def answers(version: str) -> Condition:
    """The operator says so, and the clients have seen it."""
    switched = takes(version)

    def holds(facts: Facts) -> bool:
        return switched(facts) and facts.traffic is not None and version in facts.traffic.shares(1)

    return holds


def is_alone(version: str) -> Condition:
    """Only this version has pods, and only this version answers."""

    def holds(facts: Facts) -> bool:
        serving = bool(facts.pods) and all(_serves(version, pod.version, pod.state) for pod in facts.pods)
        return serving and facts.traffic is not None and list(facts.traffic.shares(2)) == [version]

    return holds


def has_begun(facts: Facts) -> bool:
    """The clients have been answered for some seconds: there is something to compare with."""
    return (
        facts.traffic is not None and len(facts.traffic.moments) >= OPENING_MOMENTS and facts.traffic.rate > 0
    )


def has_sent(requests: int) -> Condition:
    """The clients have sent that many."""
    return lambda facts: facts.traffic is not None and facts.traffic.requests >= requests


def is_hopeless(facts: Facts) -> bool:
    """The operator has said that waiting changes nothing."""
    return facts.model is not None and facts.model.observed and facts.model.step in HOPELESS


def _serves(wanted: str, version: str, state: PodState) -> bool:
    return version == wanted and state is PodState.SERVING
