"""C. A version that turns bad when it has the traffic: the requests go back to the old one, which is hot.

Requests fail meanwhile; how many, and for how long, is measured, and that none fails afterwards.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cluster.stack import Installed
from tests.ledger.generator.load import ClientClass, Load, Rate
from tests.matrix import evidence
from tests.matrix.load import MODEST
from tests.recorder.switches import Switch
from tests.rollout.wrong_bundles import Uploaded
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = pytest.mark.cluster

Record = Callable[[str, object], None]
SOME = 100
WATCHED = {"bakeSeconds": 300, "keepWarmSeconds": 0}
FEW = Load(clients={ClientClass.NEW: 1}, paces={ClientClass.NEW: Rate(1)}, max_seconds=1500)
# From the write to the last node's rules, on a machine that is busy.
PROGRAMMING = timedelta(seconds=15)


@pytest.mark.case("C1")
def test_its_containers_crash(
    stack: Installed, namespace: str, tmp_path: Path, record_property: Record
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first, second = switch_over(run)
        run.signal(second, "SEGV")
        ends_where_it_began(run, first, second, "CrashedAfterSwitch")
    back = evidence.way_back(run, first)
    crashed = evidence.first_crash(run.outcome.history, second)
    judge(run, record_property, since=crashed, back=back)


@pytest.mark.case("C2")
@pytest.mark.long
def test_its_pods_cease_to_be_ready(
    stack: Installed, namespace: str, tmp_path: Path, record_property: Record
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first, second = switch_over(run)
        run.signal(second, "STOP")
        run.wait_selected(first)
        run.signal(second, "CONT")  # a process that stands still could not leave either
        ends_where_it_began(run, first, second, "UnreadyAfterSwitch")
    back = evidence.way_back(run, first)
    lost = evidence.first_loss(run.outcome.history, second)
    judge(run, record_property, since=lost, back=back)


@pytest.mark.case("C3")
@pytest.mark.long
def test_it_stays_rejected_when_the_operator_starts_again(
    stack: Installed, namespace: str, tmp_path: Path
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        run.operator.renew()
        first, second = switch_over(run)
        run.signal(second, "SEGV")
        ends_where_it_began(run, first, second, "CrashedAfterSwitch")
        run.operator.kill()
        run.operator.wait()
        run.quiet(20)
        assert run.seen.version(second)["state"] == "Rejected"
        assert run.seen.pods(second) == set()
        assert run.seen.selected == first
    assert run.outcome.broken_promises == []


@pytest.mark.case("C4")
@pytest.mark.long
def test_a_quarter_of_its_answers_are_errors(
    stack: Installed,
    namespace: str,
    tmp_path: Path,
    record_property: Record,
    bad_bundles: Mapping[str, Uploaded],
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first, second = (
            serve_the_first(run),
            run.apply("2", rollout=WATCHED, source=bad_bundles["erring"].source),
        )
        run.wait_selected(second)
        run.wait_selected(first)
        ends_where_it_began(run, first, second, "ErrorsAfterSwitch")
    back = evidence.way_back(run, first)
    judge(run, record_property, since=evidence.first_error(run, "2"), back=back)
    unlike_errors = [each for each in evidence.failures(run) if each.status != 500]
    assert unlike_errors == []


@pytest.mark.case("C5")
@pytest.mark.long
def test_it_is_slower_and_stays(
    stack: Installed, namespace: str, tmp_path: Path, bad_bundles: Mapping[str, Uploaded]
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        serve_the_first(run, FEW)
        second = run.apply("2", rollout={"bakeSeconds": 60}, source=bad_bundles["slow"].source)
        run.wait_complete("2")
        run.send_more(20)
        assert run.seen.version(second)["reason"] == "SlowerAfterSwitch"
        told = [each for each in run.seen.view.of("Event", {}) if each["reason"] == "SlowerAfterSwitch"]
        assert [each["type"] for each in told] == ["Warning"]
    assert run.outcome.complaints == []
    assert len(run.outcome.switches) == 1


def serve_the_first(run: Run, load: Load = MODEST) -> str:
    """Version 1 under requests; its revision."""
    first = run.apply("1")
    run.wait_complete("1")
    run.send(load)
    run.send_more(SOME if load is MODEST else 20)
    return first


def switch_over(run: Run) -> tuple[str, str]:
    """Version 1 and then 2, whose bake has begun; the revisions."""
    first = serve_the_first(run)
    second = run.apply("2", rollout=WATCHED)
    run.wait_step("Baking")
    run.send_more(SOME)
    return first, second


def ends_where_it_began(run: Run, first: str, second: str, reason: str) -> None:
    run.wait_selected(first)
    run.wait_stalled(reason)
    run.wait_gone(second)
    assert run.seen.version(second)["state"] == "Rejected"
    assert run.seen.status["activeVersion"] == "1"
    run.send_more(SOME)


def judge(run: Run, record_property: Record, *, since: datetime, back: Switch) -> None:
    """Requests failed only between the first evidence and the time when every node knew of the way back."""
    failures = evidence.failures(run)
    record_property("seconds_back", round((back.at - since).total_seconds(), 1))
    over = (back.confirmed_at or back.at) + PROGRAMMING
    late = [each for each in failures if each.sent_at > over.timestamp()]
    assert late == [], f"{len(late)} of {len(failures)} requests failed after the way back"
    assert run.outcome.broken_promises == []
    assert run.outcome.report is not None
    assert run.outcome.report.findings == ()
