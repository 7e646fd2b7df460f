"""The cost model: what it is fitted from, it predicts."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway_runtime.engine.model import Timing
from slipway_runtime.scheduling import costs
from slipway_runtime.scheduling.costs import Costs, Estimate, Load

# Machines that run tests are busy: what counts is the result, not the time that it takes.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SHAPES = [(1, 8), (1, 32), (1, 128), (4, 8), (4, 32), (32, 8), (32, 32)]


@pytest.mark.parametrize(
    "true",
    [Costs(6e-4, 1e-4, 2e-7), Costs(5e-3, 1e-6, 0.0), Costs(0.0, 1e-5, 0.0)],
    ids=["a processor", "a gpu", "a model without overhead"],
)
def test_a_fit_finds_the_numbers_behind_exact_timings(true: Costs) -> None:
    found = costs.fit([Timing(rows=n, tokens=length, seconds=true.of(n, length)) for n, length in SHAPES])

    for n, length in SHAPES:
        assert found.of(n, length) == pytest.approx(true.of(n, length), rel=1e-3)


def test_noise_never_makes_a_negative_cost() -> None:
    timings = [Timing(1, 8, 0.010), Timing(1, 32, 0.006), Timing(1, 128, 0.005), Timing(4, 8, 0.001)]
    found = costs.fit(timings)

    assert min(found.per_run, found.per_token, found.per_token_squared) >= 0


def test_one_timing_is_enough_and_none_gives_the_typical_costs() -> None:
    assert costs.fit([Timing(1, 8, 0.004)]).of(1, 8) == pytest.approx(0.004)
    assert costs.fit([]) == costs.TYPICAL


def _serve(estimate: Estimate, true: Costs, shapes: list[tuple[int, int]], *, runs: int) -> None:
    for index in range(runs):
        n, length = shapes[index % len(shapes)]
        seconds = true.of(n, length)
        estimate.observe(rows=n, tokens=length, cost=seconds, seconds=seconds)


def _alone(estimate: Estimate, rows: int, tokens: int) -> float:
    """What is predicted for the run, without what it takes to get there."""
    return estimate.costs.of(rows, tokens) - costs.DISPATCH_SECONDS


def _warm(true: Costs) -> Estimate:
    return Estimate([Timing(n, length, true.of(n, length)) for n, length in SHAPES])


def test_a_machine_that_becomes_slower_is_noticed() -> None:
    true = Costs(6e-4, 1e-4, 2e-7)
    estimate = _warm(true)
    slower = Costs(*(4 * one for one in (true.per_run, true.per_token, true.per_token_squared)))
    _serve(estimate, slower, SHAPES, runs=1200)

    for n, length in SHAPES:
        assert _alone(estimate, n, length) == pytest.approx(slower.of(n, length), rel=0.05)


def test_traffic_of_one_length_leaves_the_prediction_for_others_alone() -> None:
    true = Costs(6e-4, 1e-4, 2e-7)
    estimate = _warm(true)
    _serve(estimate, true, [(1, 8)], runs=2000)

    for n, length in SHAPES:
        assert _alone(estimate, n, length) == pytest.approx(true.of(n, length), rel=0.05)


def test_one_run_that_takes_a_hundred_times_as_long_changes_little() -> None:
    true = Costs(6e-4, 1e-4, 2e-7)
    estimate = _warm(true)
    for index in range(1000):
        seconds = true.of(4, 32) * (100 if index % 50 == 0 else 1)
        estimate.observe(rows=4, tokens=32, cost=seconds, seconds=seconds)

    assert _alone(estimate, 4, 32) == pytest.approx(true.of(4, 32), rel=0.1)


def test_a_neighbour_that_interrupts_long_runs_does_not_make_short_ones_look_cheap() -> None:
    """Beside the rows of a run, its length decides how often somebody else has the core meanwhile."""
    true = Costs(6e-4, 1e-4, 2e-7)
    estimate = _warm(true)
    for index in range(1280):
        n, length = SHAPES[index % len(SHAPES)]
        cost = true.of(n, length)
        estimate.observe(rows=n, tokens=length, cost=cost, seconds=2 * cost if cost > 0.002 else cost)
    taken = [(2 if true.of(*shape) > 0.002 else 1) * true.of(*shape) for shape in SHAPES]
    slower = sum(taken) / sum(true.of(*shape) for shape in SHAPES)

    for shape in SHAPES:
        assert _alone(estimate, *shape) == pytest.approx(slower * true.of(*shape), rel=0.05)


def test_without_a_warm_up_it_learns_from_what_runs() -> None:
    true = Costs(5e-3, 1e-5, 0.0)
    estimate = Estimate([])
    _serve(estimate, true, SHAPES, runs=2000)

    for n, length in SHAPES:
        assert _alone(estimate, n, length) == pytest.approx(true.of(n, length), rel=0.05)


@PATIENT
@given(
    seen=st.lists(
        st.tuples(st.integers(1, 64), st.integers(1, 512), st.floats(0, 100), st.floats(1e-7, 100)),
        min_size=1,
        max_size=10,
    )
)
def test_whatever_is_observed_the_costs_stay_non_negative_and_finite(
    seen: list[tuple[int, int, float, float]],
) -> None:
    estimate = _warm(Costs(6e-4, 1e-4, 2e-7))
    for rows, tokens, cost, seconds in seen * Estimate.REFIT_RUNS:
        estimate.observe(rows=rows, tokens=tokens, cost=cost, seconds=seconds)
    found = estimate.costs

    assert all(0 <= one < math.inf for one in (found.per_run, found.per_token, found.per_token_squared))
    assert found.of(64, 512) > 0


def test_rows_without_tokens_say_nothing_of_a_model_that_costs_by_the_token() -> None:
    estimate = _warm(Costs(0.0, 1e-4, 0.0))
    for _ in range(2 * Estimate.REFIT_RUNS):
        estimate.observe(rows=1, tokens=0, cost=1e-4, seconds=1e-4)

    assert math.isfinite(estimate.costs.of(32, 128))


@PATIENT
@given(lengths=st.lists(st.integers(1, 512), max_size=100), max_rows=st.integers(1, 64))
def test_the_least_that_a_load_takes_is_no_more_than_any_way_to_run_it(
    lengths: list[int], max_rows: int
) -> None:
    costs_ = Costs(6e-4, 1e-4, 2e-7)
    load = Load()
    for length in lengths:
        load.add(length)
    batches = [lengths[begin : begin + max_rows] for begin in range(0, len(lengths), max_rows)]

    alone = sum(costs_.of(1, length) for length in lengths)
    batched = sum(costs_.of(len(batch), max(batch)) for batch in batches)
    assert costs_.least(load, max_rows=max_rows) <= min(alone, batched) + 1e-9
