"""A soak passes on its figures alone, and says which of them fell short."""

from dataclasses import replace

import pytest

from tests.soak.story import LEGS, SHARE
from tests.soak.verdict import KILLS, REQUESTS, SWITCHES, Verdict

GOOD = Verdict(
    requests=REQUESTS, failed=0, switches=SWITCHES, operator_kills=KILLS, violations=(), seconds=300.0
)


def test_enough_of_everything_and_nothing_broken_passes() -> None:
    assert GOOD.shortcomings == []
    assert GOOD.as_json()["passed"] is True


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (replace(GOOD, failed=1), "1 of 50,000 requests failed"),
        (replace(GOOD, requests=49_999), "49,999 requests were made"),
        (replace(GOOD, switches=4), "the traffic moved 4 times"),
        (replace(GOOD, operator_kills=1), "the operator was killed 1 times"),
        (replace(GOOD, violations=("I1 the traffic fell",)), "I1 the traffic fell"),
    ],
    ids=["a failed request", "too few requests", "too few switches", "too few kills", "a broken promise"],
)
def test_one_figure_that_falls_short_fails_it(verdict: Verdict, sentence: str) -> None:
    (shortcoming,) = verdict.shortcomings
    assert shortcoming.startswith(sentence)
    assert verdict.as_json()["passed"] is False


def test_the_story_can_reach_what_is_wanted() -> None:
    assert SHARE * (len(LEGS) + 1) >= REQUESTS
    assert len(LEGS) >= SWITCHES
    assert sum(leg.killed is not None for leg in LEGS) >= KILLS
