"""The machine has teeth: it finds each of these mistakes, in a bounded number of examples."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.planning import mutants, mutation
from tests.planning.machine import Rollouts

# Which examples are tried hangs on the constants in all modules that are loaded, so on any change anywhere:
# the bound is for the unluckiest of them. Most mistakes are found within some hundred.
BOUNDED = settings(
    max_examples=4000,
    stateful_step_count=40,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("mutate", mutants.ALL, ids=lambda mutate: mutate.__name__)
def test_the_machine_finds_a_planner_that(mutate: mutation.Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Rollouts, settings=BOUNDED)
