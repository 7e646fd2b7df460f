"""Moments of the demo, as the tests need them."""

from __future__ import annotations

import io

from rich.console import Console

from tests.demo import view
from tests.demo.snapshot import (
    Condition,
    Facts,
    Model,
    Moment,
    Pod,
    PodState,
    Snapshot,
    StepState,
    StepView,
    Traffic,
)
from tests.demo.story import story

TITLES = tuple(step.title for step in story("1", "2"))
COMMAND = "kubectl apply -f .cluster/demo/sentiment-v2.yaml"


def model(*, active: str = "1", version: str = "1", ready: bool = True, observed: bool = True) -> Model:
    conditions = (Condition("Ready", str(ready), "Serving", f"version {active} receives the requests"),)
    return Model(version, active, "KeepingWarm", "version 1 keeps its pods", observed, ready, conditions)


def pod(version: str, state: PodState = PodState.SERVING, *, number: int = 1) -> Pod:
    return Pod(
        f"sentiment-{'f2e289cd6c' if version == '1' else 'ac4f6b44bf'}-7dbdf4f75-pod{number}",
        version,
        state,
        f"node-{number}",
    )


def traffic(*moments: dict[str, int], failed: int = 0) -> Traffic:
    """`failed` requests failed in the last moment."""
    told = [Moment(answers, 0, 1.0) for answers in moments[:-1]]
    told += [Moment(answers, failed, 1.0) for answers in moments[-1:]]
    return Traffic(
        sum(moment.total for moment in told), failed, {"reset": failed} if failed else {}, tuple(told)
    )


def steps(running: int) -> tuple[StepView, ...]:
    """The steps before `running` are done."""
    done = [StepView(title, StepState.DONE, 12.3) for title in TITLES[:running]]
    now = [StepView(title, StepState.RUNNING, 4.2, COMMAND) for title in TITLES[running : running + 1]]
    return (*done, *now, *(StepView(title) for title in TITLES[running + 1 :]))


def rollout(*, failed: int = 0) -> Snapshot:
    """Version 2 has taken over, version 1 is warm, and both answer."""
    pods = (
        *(pod("1", PodState.WARM, number=number) for number in (1, 2)),
        *(pod("2", number=number) for number in (1, 2)),
    )
    told = traffic(*[{"1": 300}] * 20, {"1": 225, "2": 75}, failed=failed)
    return Snapshot(steps(4), Facts(model(active="2", version="2"), pods, told), 40.0)


def seen(snapshot: Snapshot, *, width: int = 80, height: int = 24) -> list[str]:
    """The lines on a terminal of that size."""
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    with console.capture() as capture:
        console.print(view.render(snapshot, width=width, height=height))
    return capture.get().splitlines()
