"""A rollout in which the operator is killed right before or right after one of its writes.

Must not know which writes there are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.stack import Installed
from tests.recorder import endstate
from tests.recorder.history import History
from tests.scenario import ambush
from tests.scenario.ambush import Ambush
from tests.scenario.observation import observed
from tests.scenario.outcome import Outcome
from tests.scenario.run import PATIENCE, Run
from tests.scenario.turning import Turn

Turning = Callable[[str, str], Turn]
"""From the old and the new revision to the write."""


class Moment(StrEnum):
    """When the operator dies."""

    BEFORE = "before"  # the API server has the request, and has done nothing yet
    AFTER = "after"  # the write is there for all to see


@dataclass(frozen=True, slots=True)
class Death:
    """Of one operator after the other, each at one of these writes."""

    moment: Moment
    turnings: Sequence[Turning]


def table(turns: Mapping[str, Turning], *, first: int, quick: str) -> list[Any]:
    """A death before and one after each write, and one at each of all: numbered cases, one for every day."""
    named = [(f"{m} {what}", Death(m, [turn])) for what, turn in turns.items() for m in Moment]
    named += [(f"{m} each of these writes", Death(m, list(turns.values()))) for m in Moment]
    assert quick in dict(named)
    return [
        pytest.param(death, id=words, marks=_marks(number, words == quick))
        for number, (words, death) in enumerate(named, start=first)
    ]


def _marks(number: int, quick: bool) -> list[pytest.MarkDecorator]:  # noqa: FBT001
    case = pytest.mark.case(f"F{number}")
    return [case] if quick else [case, pytest.mark.long]


def roll(
    stack: Installed, namespace: str, folder: Path, death: Death | None, *, rollout: Mapping[str, Any]
) -> Outcome:
    """Version 1 to 2, to the end, whoever ends it."""
    with observed(stack, namespace, folder) as run:
        run.operator.renew()
        old = run.apply("1", rollout=rollout)
        run.wait_complete("1")
        run.send()
        run.send_more(300)
        new = run.would_ask("2", rollout=rollout)
        with _dies(run, death, old, new):
            assert run.apply("2", rollout=rollout) == new
        run.wait_complete("2")
        run.wait_gone(old)
        if rollout.get("historyLimit") == 0:
            run.until(lambda: not run.seen.deployment(old), what="version 1 has left the history")
        run.send_more(300)
    assert run.operator.kills == (len(death.turnings) if death else 0)
    return run.outcome


def assert_nothing_shows(outcome: Outcome, undisturbed: History) -> None:
    """No request failed, no promise is broken, and nothing is left that a death has left."""
    assert outcome.complaints == []
    assert outcome.report is not None
    assert outcome.report.requests > 1000
    at = outcome.history.changes[-1].at
    left, wanted = endstate.end_state(outcome.history), endstate.end_state(undisturbed)
    assert [str(v) for v in endstate.same_end(wanted, left, at=at)] == []
    made, usual = endstate.lifecycles(outcome.history), endstate.lifecycles(undisturbed)
    assert [str(v) for v in endstate.no_more_often(usual, made, at=at)] == []


@contextmanager
def _dies(run: Run, death: Death | None, old: str, new: str) -> Iterator[None]:
    """What is applied in here leads to these writes; afterwards another operator is there."""
    turns = [turning(old, new) for turning in death.turnings] if death else []
    if death is None or death.moment is Moment.AFTER:
        yield
        _dies_after(run, turns)
        return
    with ExitStack() as laid:
        ambushes = [laid.enter_context(_ambush(run, turn, number)) for number, turn in enumerate(turns)]
        yield
        for each in ambushes:
            each.wait(PATIENCE)
            _comes_back(run)


def _ambush(run: Run, turn: Turn, number: int) -> AbstractContextManager[Ambush]:
    where = f"{run.namespace}-{number}"
    return ambush.laid(run.kubectl, turn.awaited, name=where, namespace=run.namespace, kill=run.operator.kill)


def _dies_after(run: Run, turns: Sequence[Turn]) -> None:
    for turn in turns:
        kill = run.operator.aim()
        made = partial(turn.is_made, run.seen)
        run.until(made, what="the write that the operator dies after")
        kill()
        _comes_back(run)


def _comes_back(run: Run) -> None:
    """In a pod of its own if it is to die again: the kubelet would start each later than the one before."""
    run.operator.wait()
    run.operator.renew()
