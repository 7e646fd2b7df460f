"""What can be seen of the demo at one moment, as values. Knows neither the cluster nor the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PodState(StrEnum):
    """What a pod of the model is doing, in a word for the person who watches."""

    WAITING = "waiting"  # no node yet, or its container is being made
    LOADING = "loading"  # it loads the model and checks itself
    READY = "ready"
    SERVING = "serving"  # ready, and the Service selects its revision
    WARM = "warm"  # ready, and it served before
    DRAINING = "draining"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of the model."""

    name: str
    version: str
    state: PodState
    node: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the model's status."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Model:
    """The InferenceModel; `observed`: the operator has seen the spec that stands there now."""

    version: str
    active: str
    step: str
    message: str
    observed: bool
    ready: bool
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """The answers between two looks at the ledger, a second apart."""

    answers: Mapping[str, int]
    failed: int
    seconds: float

    @property
    def total(self) -> int:
        """Requests that ended."""
        return sum(self.answers.values()) + self.failed


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the clients have got since they began, and moment by moment, the latest last."""

    requests: int
    failed: int
    reasons: Mapping[str, int]
    moments: tuple[Moment, ...]

    @property
    def rate(self) -> float:
        """Requests a second, over the last five moments."""
        latest = self.moments[-5:]
        seconds = sum(moment.seconds for moment in latest)
        return sum(moment.total for moment in latest) / seconds if seconds else 0.0

    def shares(self, moments: int = 3) -> dict[str, float]:
        """The part of the latest answers that each version gave, 0 to 1."""
        counts: dict[str, int] = {}
        for moment in self.moments[-moments:]:
            for version, count in moment.answers.items():
                counts[version] = counts.get(version, 0) + count
        total = sum(counts.values())
        return {version: count / total for version, count in sorted(counts.items())} if total else {}

    def versions(self) -> list[str]:
        """Every version that has answered, in order."""
        return sorted({version for moment in self.moments for version in moment.answers})


@dataclass(frozen=True, slots=True)
class Facts:
    """One look at the cluster and at the ledger; `problem` says why it could not be had."""

    model: Model | None = None
    pods: tuple[Pod, ...] = ()
    traffic: Traffic | None = None
    problem: str = ""


class StepState(StrEnum):
    """Where a step of the story stands."""

    AHEAD = "ahead"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the story; `command` is what a person would type to have it happen."""

    title: str
    state: StepState = StepState.AHEAD
    seconds: float = 0.0
    command: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a screen shows."""

    steps: tuple[StepView, ...]
    facts: Facts = field(default_factory=Facts)
    seconds: float = 0.0
    """Since the demo began."""

    @property
    def command(self) -> str:
        """What was typed last."""
        typed = [step.command for step in self.steps if step.command and step.state is not StepState.AHEAD]
        return typed[-1] if typed else ""
