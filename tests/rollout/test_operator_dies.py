"""The operator is killed in mid-rollout: the one that comes after it ends what was begun.

No request fails, and what is left is what a run without a fault leaves.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.stack import Installed
from tests.recorder import endstate
from tests.recorder.history import History
from tests.scenario.observation import observed
from tests.scenario.outcome import Outcome
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

Moment = Callable[[Run, str], None]
MOMENTS: dict[str, Moment] = {
    "the new Deployment has been created": lambda run, new: run.wait_deployed(new),
    "the traffic has just moved": lambda run, new: run.wait_selected(new),
    "the old version is kept warm": lambda run, _: run.wait_step("KeepingWarm"),
}


@pytest.fixture(scope="module")
def undisturbed(stack: Installed, module_namespace: str, tmp_path_factory: pytest.TempPathFactory) -> History:
    """The same rollout, with an operator that lives."""
    return roll(stack, module_namespace, tmp_path_factory.mktemp("undisturbed"), None).history


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_killed_when(
    stack: Installed, namespace: str, tmp_path: Path, undisturbed: History, moment: Moment
) -> None:
    outcome = roll(stack, namespace, tmp_path, moment)
    assert outcome.complaints == []
    assert outcome.report is not None
    assert outcome.report.requests > 1000
    at = outcome.history.changes[-1].at
    left, wanted = endstate.end_state(outcome.history), endstate.end_state(undisturbed)
    assert [str(v) for v in endstate.same_end(wanted, left, at=at)] == []
    made, usual = endstate.lifecycles(outcome.history), endstate.lifecycles(undisturbed)
    assert [str(v) for v in endstate.no_more_often(usual, made, at=at)] == []


def roll(stack: Installed, namespace: str, folder: Path, moment: Moment | None) -> Outcome:
    """Version 1 to 2; the operator is killed at that moment."""
    with observed(stack, namespace, folder) as run:
        run.operator.renew()
        first = run.apply("1")
        run.wait_complete("1")
        run.send()
        run.send_more(300)
        if moment is not None:
            kill = run.operator.aim()
        second = run.apply("2", rollout={"keepWarmSeconds": 6})
        if moment is not None:
            moment(run, second)
            kill()
            run.operator.wait()
        run.wait_complete("2")
        run.wait_gone(first)
        run.send_more(300)
    assert run.operator.kills == (moment is not None)
    return run.outcome
