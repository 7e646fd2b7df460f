"""B. A version that is bad, or never comes up: it gets no traffic, and the one that serves goes on serving.

More of them, with one model for all, in tests/rollout/test_versions_that_cannot_serve.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.stack import Installed
from tests.matrix.load import MODEST
from tests.scenario.observation import observed
from tests.scenario.run import Run

pytestmark = [pytest.mark.cluster, pytest.mark.long]

SOME = 100
CRASHES = 3  # that reject a version
TOO_LITTLE = {"requests": {"cpu": "20m", "memory": "16Mi"}, "limits": {"memory": "48Mi"}}


@pytest.mark.case("B17")
def test_its_memory_is_not_enough(stack: Installed, namespace: str, tmp_path: Path) -> None:
    with serving(stack, namespace, tmp_path) as run:
        second = run.apply("2", replicas=1, resources=TOO_LITTLE)
        message = run.wait_stalled("CrashLoop")
        assert "137" in message
        run.wait_gone(second)
        back_to_the_first(run)
    assert not_of_memory(run) == []


@pytest.mark.case("B18")
def test_its_container_ends_without_a_word(stack: Installed, namespace: str, tmp_path: Path) -> None:
    slowly = {"minReadySeconds": 200}  # time to end it, and again, before it has the traffic
    with serving(stack, namespace, tmp_path) as run:
        second = run.apply("2", replicas=1, rollout=slowly)
        ended: set[str] = set()
        for _ in range(CRASHES):
            ended |= end_what_runs(run, second, ended)
        message = run.wait_stalled("CrashLoop")
        assert "exit code 139" in message
        run.wait_gone(second)
        back_to_the_first(run)
    assert run.outcome.complaints == []


@pytest.mark.case("B21")
def test_its_image_is_no_runtime(stack: Installed, namespace: str, tmp_path: Path) -> None:
    """What its source leads to cannot be found out with it: it has no pod of its own."""
    no_runtime = stack.references["ledger"]
    with serving(stack, namespace, tmp_path) as run:
        second = run.apply("2", replicas=1, runtime={"image": no_runtime})
        message = run.wait_stalled("ResolverInterrupted")
        assert "exit code 2" in message
        assert not run.seen.pods(second)
        back_to_the_first(run)
    assert run.outcome.complaints == []


@pytest.mark.case("B19")
def test_its_pod_stands_still_before_it_is_ready(stack: Installed, namespace: str, tmp_path: Path) -> None:
    slowly = {"progressDeadlineSeconds": 90, "minReadySeconds": 60}  # time to stop it before it is ready
    with serving(stack, namespace, tmp_path) as run:
        second = run.apply("2", replicas=1, rollout=slowly)
        run.until(lambda: is_running(run, second), what="its container runs")
        run.signal(second, "STOP")
        run.until(lambda: run.seen.version(second).get("state") == "Blocked", what="the deadline is over")
        assert run.seen.holds("Stalled", "ProgressDeadlineExceeded")
        run.signal(second, "CONT")
        back_to_the_first(run)
        run.wait_gone(second)
    assert run.outcome.complaints == []


@pytest.mark.case("B20")
def test_its_readiness_comes_and_goes(stack: Installed, namespace: str, tmp_path: Path) -> None:
    """Nothing moves until it has been ready for minReadySeconds at a stretch."""
    with serving(stack, namespace, tmp_path) as run:
        first = run.seen.selected
        second = run.apply("2", replicas=1, rollout={"minReadySeconds": 40})
        for _ in range(2):
            run.until(lambda: ready(run, second), what="its pod is ready")
            run.signal(second, "STOP")
            run.until(lambda: not ready(run, second), what="its pod is ready no more")
            assert run.seen.selected == first
            run.signal(second, "CONT")
        run.wait_complete("2")
        run.send_more(SOME)
    assert run.outcome.complaints == []
    assert len(run.outcome.switches) == 1


@contextmanager
def serving(stack: Installed, namespace: str, folder: Path) -> Iterator[Run]:
    """Version 1 with its requests; whatever comes, they go on."""
    with observed(stack, namespace, folder) as run:
        run.apply("1", replicas=1)
        run.wait_complete("1")
        run.send(MODEST)
        run.send_more(SOME)
        yield run


def back_to_the_first(run: Run) -> None:
    assert run.seen.status["activeVersion"] == "1"
    assert run.seen.holds("Serving", "Serving")
    run.apply("1", replicas=1)
    run.wait_complete("1")
    run.send_more(SOME)


def is_running(run: Run, revision: str) -> bool:
    return any("running" in state for state in run.seen.container_states(revision))


def end_what_runs(run: Run, revision: str, ended: set[str]) -> set[str]:
    """As soon as a container runs that was not `ended` already; when it was started."""
    run.until(lambda: not starts(run, revision) <= ended, what="its container runs, once more")
    found = starts(run, revision)
    run.signal(revision, "SEGV")
    return found


def starts(run: Run, revision: str) -> set[str]:
    """When its containers that run were started."""
    running = (state.get("running") for state in run.seen.container_states(revision))
    return {str(each["startedAt"]) for each in running if each}


def ready(run: Run, revision: str) -> bool:
    return bool(run.seen.ready(revision))


def not_of_memory(run: Run) -> list[str]:
    """The kernel kills for memory with the signal that the kubelet kills with: here it is meant to."""
    return [each for each in run.outcome.complaints if "was killed" not in each]
