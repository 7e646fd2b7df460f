"""From records to goals reached and missed."""

import pathlib

import pytest

from bench.runtime import plan, verdicts
from bench.runtime.records import Key, Kind, Records

RATES = {"slipway": 140.0, "fastapi": 100.0, "naive": 50.0, "kserve": 101.0}
PLAN = plan.full(3)


@pytest.fixture
def records(tmp_path: pathlib.Path) -> Records:
    return Records(tmp_path / "records.jsonl")


def _measure(records: Records, **rates: float) -> None:
    for round_ in (1, 2, 3):
        for point in PLAN.points:
            for server, rate in rates.items():
                key = Key(Kind.LOAD, round_, point.model, server, point.connections)
                records.add(key, {"rate": rate, "p50": 1000 / rate, "p99": 5000 / rate, "failed": 0})


def _verdict(records: Records, part: str) -> verdicts.Verdict:
    return next(one for one in verdicts.judge(PLAN, records) if part in one.goal)


def test_without_records_nothing_is_reached_and_nothing_missed(records: Records) -> None:
    assert {one.reached for one in verdicts.judge(PLAN, records)} == {None}


@pytest.mark.parametrize(
    ("goal", "reached", "found"),
    [
        ("base, 64 clients: at least 1.3x", True, "1.39x [1.39, 1.39] KServe"),
        ("tiny, 64 clients: at least 2.2x", False, "1.39x [1.39, 1.39] KServe"),
        ("tiny, 64 clients: at least 1.6x", True, "2.80x [2.80, 2.80] FastAPI, 32 rows or 20 ms"),
    ],
    ids=["over the best peer", "over the best product", "over the loop"],
)
def test_ours_is_compared_with_the_fastest_of_those_that_are_meant(
    records: Records, goal: str, found: str, *, reached: bool
) -> None:
    _measure(records, **RATES)

    assert _verdict(records, goal) == verdicts.Verdict(_verdict(records, goal).goal, found, reached)


def test_the_limit_is_that_of_the_same_rounds(records: Records) -> None:
    _measure(records, slipway=96.0)
    for round_ in (1, 2, 3):
        records.add(Key(Kind.LIMIT, round_, "base", "onnxruntime"), {"alone": 60.0, "sorted": 100.0})

    assert _verdict(records, "sorted limit").reached


@pytest.mark.parametrize(("milliseconds", "reached"), [(1.4, True), (1.6, False)], ids=["within", "beyond"])
def test_the_added_latency_is_a_difference_of_medians(
    records: Records, milliseconds: float, *, reached: bool
) -> None:
    _measure(records, slipway=1000 / milliseconds, fastapi=1000.0)

    assert _verdict(records, "alone").reached is reached


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({}, 0),
        ({"goodput": 80.0}, 1),
        ({"rejected_p99": 51.0}, 1),
        ({"rejected": 0.0}, 1),
        ({"probe_failures": 1.0}, 1),
        ({"other_failures": 2.0}, 1),
    ],
    ids=["as it should be", "work is lost", "slow to say no", "never says no", "a probe", "errors"],
)
def test_overload_has_a_goal_for_each_way_to_fail(
    records: Records, changed: dict[str, float], missed: int
) -> None:
    good = {"peak": 100.0, "goodput": 95.0, "rejected": 900.0, "rejected_p99": 9.0, "seconds": 300.0}
    found = {**good, "other_failures": 0.0, "probe_failures": 0.0, "probes": 100.0, **changed}
    records.add(Key(Kind.OVERLOAD, 1, "base", "slipway"), found)

    assert [one.reached for one in verdicts.judge(PLAN, records)].count(False) == missed
