"""From one version to the next and back, under requests that never stop."""

from pathlib import Path

import pytest

from slipway_operator.domain.revision import child_name
from tests.cluster.stack import Installed
from tests.recorder import journal
from tests.scenario.observation import observed
from tests.scenario.run import NAME, PATIENCE, Run

pytestmark = pytest.mark.cluster

SOME = 1000
WARM = {"keepWarmSeconds": 120}
COLD = {"keepWarmSeconds": 2, "historyLimit": 0}


@pytest.mark.case("A4")
def test_versions_change_without_a_failed_request(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1")
        run.wait_complete("1")
        run.send()
        run.send_more(SOME)

        second = run.apply("2", rollout=WARM)
        run.kubectl.wait("condition=Ready", f"imodel/{NAME}", namespace=namespace, timeout=PATIENCE)
        waited_until = journal.now()
        run.wait_ready("2")
        run.send_more(SOME)

        go_back_while_it_is_warm(run, first)

        run.apply("2", rollout=COLD)
        run.wait_complete("2")
        run.wait_gone(first)
        run.until(lambda: not run.seen.deployment(first), what="version 1 has left the history")
        run.send_more(SOME)

        run.apply("1", rollout={"historyLimit": 1})
        run.wait_complete("1")
        run.wait_gone(second)
        run.send_more(SOME)
        assert run.seen.deployments() == {child_name(NAME, first), child_name(NAME, second)}

    outcome = run.outcome
    assert outcome.complaints == []
    assert [switch.to for switch in outcome.switches] == [second, first, second, first]
    confirmed = outcome.switches[0].confirmed_at
    assert confirmed is not None
    assert confirmed <= waited_until, "kubectl wait returned before the asked-for version had the traffic"
    assert outcome.exit_codes(first) | outcome.exit_codes(second) == {0}, "a pod did not drain to its end"
    assert outcome.report is not None
    assert outcome.report.requests >= 4 * SOME
    assert {(s.old, s.new) for s in outcome.report.switches} == {("1", "2"), ("2", "1")}


def go_back_while_it_is_warm(run: Run, revision: str) -> None:
    """The pods that are there take the requests again: none is started."""
    pods = run.seen.pods(revision)
    assert run.apply("1", rollout=WARM) == revision
    run.wait_ready("1")
    assert pods
    assert run.seen.pods(revision) == pods
    run.send_more(SOME)
