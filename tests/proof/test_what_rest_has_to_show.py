"""An hour of rest passes on its figures alone, and says which of them fell short."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.cluster.release import NAMESPACE
from tests.proof import rest_verdict
from tests.proof.rest_verdict import QUICK, Plan, Rest
from tests.proof.sampling import Sample
from tests.scenario import rest
from tests.scenario.audit import Write

PLAN = Plan()
MIB = 2.0**20


def hour(*, growth: float = 0.0, plan: Plan = PLAN) -> list[Sample]:
    """An operator of 100 MiB that takes half a MiB and gives it back, and grows by so many MiB an hour."""
    times = [number * plan.every for number in range(int(plan.seconds / plan.every) + 1)]
    return [
        Sample(
            at="",
            seconds=at,
            pod="p",
            container="c",
            restarts=3,  # from before
            liveness={"old": 6},
            rss=(100 + growth * at / 3600 + (number % 2) / 2) * MIB,
            cpu=50 + at / 100,
            reads=1000 + at / 10,
        )
        for number, at in enumerate(times)
    ]


def seen(samples: Sequence[Sample], needless: Sequence[str] = (), plan: Plan = PLAN) -> Rest:
    return Rest(plan, samples, {"leases": 1800}, needless)


def figure(of: Rest, name: str) -> object:
    return next(each.value for each in of.figures if each.name.startswith(name))


def test_an_hour_in_which_nothing_happens_passes() -> None:
    quiet = seen(hour())
    assert quiet.shortcomings == ()
    assert figure(quiet, "restarts") == 0
    assert figure(quiet, "failed liveness") == 0
    assert figure(quiet, "watched for") == 60
    assert figure(quiet, "looks") == 121
    assert figure(quiet, "all its writes") == "1,800 leases"
    assert figure(quiet, "reads") == 0.1
    assert figure(quiet, "processor time") == 1.0


def test_a_quick_try_passes_by_the_same_rules() -> None:
    assert seen(hour(plan=QUICK), plan=QUICK).shortcomings == ()


def test_a_restart_is_counted_however_often_it_happened_between_two_looks() -> None:
    """Every eight minutes, as one that takes its own watch for deaf."""
    samples = hour()
    restarted = [
        replace(sample, container=f"c{number // 16}", restarts=3 + number // 16)
        for number, sample in enumerate(samples)
    ]
    assert seen(restarted).shortcomings == ("the operator was restarted 7 times",)
    twice = [*samples[:60], *(replace(s, restarts=5, container="d") for s in samples[60:])]
    assert seen(twice).restarts == 2


def test_a_pod_in_anothers_place_is_a_restart() -> None:
    samples = hour()
    moved = [*samples[:60], *(replace(s, pod="q", container="d", restarts=1) for s in samples[60:])]
    assert seen(moved).restarts == 2


def test_a_container_that_is_another_is_a_restart_before_the_kubelet_has_counted_it() -> None:
    samples = hour()
    assert seen([*samples[:-1], replace(samples[-1], container="d")]).restarts == 1


def test_the_memory_of_two_processes_has_no_slope() -> None:
    samples = hour()
    restarted = seen([*samples[:60], *(replace(s, restarts=4, rss=MIB) for s in samples[60:])])
    assert restarted.slope is None
    assert restarted.growth is None
    assert figure(restarted, "slope") is None


def test_failed_liveness_probes_are_counted_since_the_begin_also_when_the_event_has_gone() -> None:
    samples = hour()
    samples[50] = replace(samples[50], liveness={"old": 7, "new": 2})
    samples[60] = replace(samples[60], liveness={"new": 4})
    assert seen(samples).shortcomings == ("5 liveness probes failed",)


def test_one_write_is_too_many() -> None:
    (said,) = seen(
        hour(), needless=["12:00 patch inferencemodels/status", "12:01 patch services"]
    ).shortcomings
    assert said == "2 writes at rest, the first: 12:00 patch inferencemodels/status"


def test_the_slope_is_fitted_after_the_warm_up() -> None:
    grown = seen(hour(growth=4))
    assert figure(grown, "slope") == pytest.approx(4096, rel=0.01)
    assert figure(grown, "growth") == pytest.approx(3.27, rel=0.01)  # in 50 minutes
    assert grown.shortcomings == ()
    climbing = [replace(s, rss=(60 + s.seconds / 15) * MIB) if s.seconds < 600 else s for s in hour()]
    assert seen(climbing).shortcomings == ()


def test_an_operator_that_grows_fails() -> None:
    (said,) = seen(hour(growth=8)).shortcomings
    assert said == "the operator grew by 6.4%, and 5% are allowed"


def test_an_operator_that_shrinks_passes() -> None:
    assert seen(hour(growth=-8)).shortcomings == ()


def test_a_few_looks_without_an_answer_are_told_and_many_prove_nothing() -> None:
    samples = hour()
    lost = [Sample(at="", seconds=sample.seconds, problem="no answer") for sample in samples]
    few = seen([*samples[:10], *lost[10:15], *samples[15:]])
    assert (few.shortcomings, figure(few, "looks")) == ((), 116)
    many = seen([*samples[:10], *lost[10:30], *samples[30:]])
    assert many.shortcomings == ("101 looks at the operator were answered, of 121",)


@pytest.mark.parametrize("place", [0, -1], ids=["begin", "end"])
def test_what_is_not_known_of_the_begin_or_the_end_proves_nothing(place: int) -> None:
    samples = hour()
    samples[place] = Sample(at="", seconds=samples[place].seconds, problem="no answer")
    assert seen(samples).shortcomings == ("how the operator was at the begin or at the end is not known",)


def test_no_look_at_all_is_no_proof() -> None:
    nothing = seen([])
    assert len(nothing.shortcomings) == 2
    assert figure(nothing, "memory") is None


def test_a_counter_begins_anew_with_each_process() -> None:
    assert rest_verdict.increase([5, 9, 2, 3]) == 7


def test_the_picture_shows_the_memory_over_the_hour() -> None:
    drawn = seen(hour()).draw()
    assert drawn.count("<circle") == 12
    assert ">minutes</text>" in drawn
    assert ">60</text>" in drawn


def test_nothing_but_the_lease_and_what_a_busy_node_provokes_is_excused() -> None:
    def write(what: str, namespace: str, name: str) -> Write:
        return Write(datetime(2026, 1, 1, tzinfo=UTC), "patch", what, namespace, name, 200, "pod")

    lease = write("leases", NAMESPACE, "slipway")
    event = write("events", NAMESPACE, "slipway")
    busy = write("inferencemodels/status", "ours", "m-0")
    idle = write("inferencemodels/status", "ours", "m-1")
    refused = replace(write("deployments", "ours", "m-1-abc"), code=422)
    elsewhere = write("inferencemodels/status", "theirs", "m-0")
    written = [lease, event, busy, idle, refused, elsewhere]
    assert rest.needless(written, "ours", restless={"m-0"}) == [event, idle, refused]
