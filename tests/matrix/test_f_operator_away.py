"""F. There is no operator when it is needed most; when it comes back, all goes on from what it finds."""

from pathlib import Path

import pytest

from slipway_operator.api import labels
from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import Installed
from tests.matrix.load import MODEST
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = [pytest.mark.cluster, pytest.mark.long]

SOME = 100


@pytest.mark.case("F27")
def test_old_pods_die_in_mid_rollout_while_there_is_no_operator(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    """Nobody moves the requests meanwhile: they begin when the operator has come back."""
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1")
        run.wait_complete("1")
        second = run.apply("2", rollout={"minReadySeconds": 30})  # longer than the operator takes to go
        run.until(lambda: bool(run.seen.pods(second)), what="pods of version 2")
        with run.operator.away():
            run.signal(first, "SEGV")
            run.until(lambda: have_died(run, first), what="the pods of version 1 have died")
            run.until(lambda: len(run.seen.ready(second)) == 2, what="those of version 2 are ready")
            assert run.seen.selected == first
        run.wait_complete("2")
        run.send(MODEST)
        run.wait_gone(first)
        run.send_more(SOME)
    assert run.outcome.complaints == []
    assert [switch.to for switch in run.outcome.switches] == [second]


def have_died(run: Run, revision: str) -> bool:
    """Each of them at least once, as its status says."""
    pods = run.seen.view.of("Pod", {labels.REVISION: revision})
    return bool(pods) and all(restarts(pod) > 0 or has_ended(pod) for pod in pods)


def restarts(pod: JsonObject) -> int:
    return sum(int(each["restartCount"]) for each in pod["status"].get("containerStatuses") or [])


def has_ended(pod: JsonObject) -> bool:
    return any("terminated" in each["state"] for each in pod["status"].get("containerStatuses") or [])
