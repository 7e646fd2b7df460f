"""The cost model: what it is fitted from, it predicts."""

import pytest

from slipway_runtime.engine.model import Timing
from slipway_runtime.scheduling import costs
from slipway_runtime.scheduling.costs import Costs

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
