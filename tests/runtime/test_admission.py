"""Who is let into a queue: bounded in seconds, so that a fast model's may be long and a slow one's short."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway_runtime.scheduling.admission import Admission, Prospect, QueueLimits
from slipway_runtime.scheduling.calls import DeadlineExceededError, QueueFullError
from slipway_runtime.scheduling.costs import Costs, Load

# Machines that run tests are busy: what counts is the result, not the time that it takes.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
LIMITS = QueueLimits(max_seconds=5.0, max_rows=1000)


def _load(rows: int, length: int) -> Load:
    load = Load()
    for _ in range(rows):
        load.add(length)
    return load


def test_an_empty_queue_takes_any_request() -> None:
    Admission(LIMITS).check(100_000, Prospect(0, 600.0, 0.5), time_left=1.0)


def test_256_clients_of_a_model_of_200_rows_a_second_are_all_let_in() -> None:
    costs = Costs(per_run=6e-4, per_token=1.1e-4, per_token_squared=0.0)
    waiting = costs.least(_load(255, 40), max_rows=32)

    assert 1.0 < waiting < 1.5
    Admission(LIMITS).check(1, Prospect(255, waiting, waiting), time_left=30)


def test_more_seconds_than_allowed_are_refused_and_told_when_to_come_back() -> None:
    with pytest.raises(QueueFullError, match="20 rows are waiting already, about 7") as refused:
        Admission(LIMITS).check(1, Prospect(20, 7.2, 7.2), time_left=None)

    assert refused.value.retry_after == 8


def test_more_rows_than_there_is_memory_for_are_refused() -> None:
    Admission(LIMITS).check(1, Prospect(999, 0.5, 0.5), time_left=None)
    with pytest.raises(QueueFullError) as refused:
        Admission(LIMITS).check(2, Prospect(999, 0.5, 0.5), time_left=None)

    assert refused.value.retry_after == 1


def test_what_is_certain_to_be_late_is_refused_at_once() -> None:
    admission = Admission(LIMITS)

    admission.check(1, Prospect(10, 2.0, 0.9), time_left=1.0)
    with pytest.raises(DeadlineExceededError, match=r"1 s are left, and its answer would take about 1\.1 s"):
        admission.check(1, Prospect(10, 2.0, 1.1), time_left=1.0)


def test_what_the_run_under_way_alone_makes_late_is_refused_too() -> None:
    with pytest.raises(DeadlineExceededError):
        Admission(LIMITS).check(1, Prospect(0, 2.0, 2.1), time_left=1.0)


def test_a_deadline_that_has_passed_is_refused_even_by_an_empty_queue() -> None:
    with pytest.raises(DeadlineExceededError):
        Admission(LIMITS).check(1, Prospect(0, 0, 0), time_left=0)


def test_it_learns_within_how_long_nine_of_ten_are_through() -> None:
    admission = Admission(LIMITS)
    for index in range(5000):
        admission.learn(predicted=1.0, took=1.0 + index % 10 / 10, answered=True)

    assert admission.pace == pytest.approx(1.85, abs=0.1)
    with pytest.raises(DeadlineExceededError):
        admission.check(1, Prospect(10, 2.0, 0.6), time_left=1.0)


def test_a_quiet_queue_forgets_a_bad_hour() -> None:
    admission = Admission(LIMITS)
    for _ in range(1000):
        admission.learn(predicted=1.0, took=10.0, answered=True)
    for _ in range(1000):
        admission.learn(predicted=0.0, took=0.01, answered=True)

    assert admission.pace == pytest.approx(1.0)


def test_who_gives_up_early_does_not_make_the_predictions_look_better() -> None:
    admission = Admission(LIMITS)
    for _ in range(200):
        admission.learn(predicted=1.0, took=0.1, answered=False)

    assert admission.pace == 1.0


@PATIENT
@given(
    seen=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1000), st.booleans()), min_size=1, max_size=50)
)
def test_whatever_it_sees_its_pace_stays_believable(seen: list[tuple[float, float, bool]]) -> None:
    admission = Admission(LIMITS)
    for predicted, took, answered in seen:
        admission.learn(predicted=predicted, took=took, answered=answered)

    assert 0.5 <= admission.pace <= 4.0
