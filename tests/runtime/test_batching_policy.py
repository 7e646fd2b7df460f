"""The batching policy's promises, for any queue: checked by hypothesis, and by a few pictures."""

from collections.abc import Hashable
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway_runtime.scheduling.costs import Costs
from slipway_runtime.scheduling.policy import Idle, Limits, Run, WaitUntil, decide

# Machines that run tests are busy: what counts is the result, not the time that it takes.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
CPU = Costs(per_run=6e-4, per_token=1e-4, per_token_squared=1e-7)
GPU = Costs(per_run=5e-3, per_token=1e-6, per_token_squared=0.0)


@dataclass(frozen=True, slots=True)
class WaitingRow:
    length: int
    queued_at: float = 0.0
    kind: Hashable = None


costs = st.builds(
    Costs,
    per_run=st.floats(0, 0.1),
    per_token=st.floats(0, 0.01),
    per_token_squared=st.floats(0, 1e-4),
)
limits = st.builds(
    Limits, max_rows=st.integers(1, 64), max_tokens=st.integers(1, 20_000), max_wait=st.floats(0, 1)
)
queues = st.lists(
    st.builds(
        WaitingRow,
        length=st.integers(1, 512),
        queued_at=st.floats(0, 10),
        kind=st.sampled_from([None, None, None, "float [3]"]),
    ),
    min_size=1,
    max_size=300,
)
nows = st.floats(10, 20)


@PATIENT
@given(queue=queues, arriving=st.integers(0, 5), now=nows, limits=limits, costs=costs)
def test_a_batch_has_the_first_row_and_keeps_every_limit(
    queue: list[WaitingRow], arriving: int, now: float, limits: Limits, costs: Costs
) -> None:
    match decide(queue, arriving=arriving, now=now, limits=limits, costs=costs):
        case Run(positions):
            lengths = [queue[position].length for position in positions]
            assert 0 in positions
            assert len(set(positions)) == len(positions) <= limits.max_rows
            assert lengths == sorted(lengths)
            assert len(lengths) == 1 or len(lengths) * lengths[-1] <= limits.max_tokens
        case WaitUntil(until):
            assert arriving > 0
            assert len(queue) < limits.max_rows
            assert now < until <= queue[0].queued_at + limits.max_wait
        case Idle():
            raise AssertionError("there are rows to run")


@PATIENT
@given(queue=queues, limits=limits, costs=costs)
def test_rows_of_different_kinds_are_never_in_one_batch(
    queue: list[WaitingRow], limits: Limits, costs: Costs
) -> None:
    decision = decide(queue, arriving=0, now=20, limits=limits, costs=costs)

    assert isinstance(decision, Run)
    assert {queue[position].kind for position in decision.positions} == {queue[0].kind}


@PATIENT
@given(queue=queues, limits=limits, costs=costs)
def test_rows_that_must_not_be_padded_run_with_those_of_their_length(
    queue: list[WaitingRow], limits: Limits, costs: Costs
) -> None:
    """Their kind is their length: as many as there are of the first one's run, if that is worth it."""
    unpadded = [WaitingRow(row.length, row.queued_at, kind=row.length) for row in queue]

    decision = decide(unpadded, arriving=0, now=20, limits=limits, costs=costs)

    assert isinstance(decision, Run)
    assert 0 in decision.positions
    assert {unpadded[position].length for position in decision.positions} == {unpadded[0].length}
    alike = sum(row.length == unpadded[0].length for row in unpadded[: limits.max_rows * 8])
    most = max(1, min(alike, limits.max_rows, limits.max_tokens // unpadded[0].length))
    assert len(decision.positions) in {1, most}


@PATIENT
@given(queue=queues, limits=limits, costs=costs)
def test_a_batch_leaves_out_no_row_of_a_length_between_two_of_its_own(
    queue: list[WaitingRow], limits: Limits, costs: Costs
) -> None:
    decision = decide(queue, arriving=0, now=20, limits=limits, costs=costs)
    assert isinstance(decision, Run)
    taken = [queue[position].length for position in decision.positions]
    left = [
        row.length
        for position, row in enumerate(queue[: limits.max_rows * 8])
        if position not in decision.positions and row.kind == queue[0].kind
    ]

    assert not any(taken[0] < length < taken[-1] for length in left)


@PATIENT
@given(queue=queues, now=nows, limits=limits, costs=costs)
def test_it_never_waits_when_nobody_is_known_to_come(
    queue: list[WaitingRow], now: float, limits: Limits, costs: Costs
) -> None:
    assert isinstance(decide(queue, arriving=0, now=now, limits=limits, costs=costs), Run)


@PATIENT
@given(queue=queues, arriving=st.integers(1, 100), limits=limits, costs=costs)
def test_it_waits_no_longer_than_the_first_row_may_nor_than_company_can_save(
    queue: list[WaitingRow], arriving: int, limits: Limits, costs: Costs
) -> None:
    for patience in (limits.max_wait, arriving * costs.per_run):
        now = queue[0].queued_at + patience

        assert isinstance(decide(queue, arriving=arriving, now=now, limits=limits, costs=costs), Run)


@PATIENT
@given(queue=queues, limits=limits, costs=costs)
def test_every_row_is_run_once_within_as_many_batches_as_there_are_rows(
    queue: list[WaitingRow], limits: Limits, costs: Costs
) -> None:
    left = list(enumerate(queue))
    ran: list[int] = []
    while left:
        decision = decide([row for _, row in left], arriving=0, now=20, limits=limits, costs=costs)
        assert isinstance(decision, Run)
        taken = set(decision.positions)
        ran += [left[position][0] for position in decision.positions]
        left = [entry for position, entry in enumerate(left) if position not in taken]

    assert sorted(ran) == list(range(len(queue)))


@PATIENT
@given(queue=queues, limits=limits, costs=costs)
def test_a_batch_is_never_predicted_to_be_slower_than_its_rows_alone(
    queue: list[WaitingRow], limits: Limits, costs: Costs
) -> None:
    decision = decide(queue, arriving=0, now=20, limits=limits, costs=costs)
    assert isinstance(decision, Run)
    lengths = [queue[position].length for position in decision.positions]

    assert costs.of(len(lengths), lengths[-1]) <= sum(costs.of(1, length) for length in lengths) * (1 + 1e-9)


@PATIENT
@given(queue=queues.filter(lambda queue: len(queue) <= 40), limits=limits, costs=costs)
def test_no_other_batch_around_the_first_row_is_predicted_to_gain_more(
    queue: list[WaitingRow], limits: Limits, costs: Costs
) -> None:
    """All of them are tried, which is what the policy must not take the time for."""
    decision = decide(queue, arriving=0, now=20, limits=limits, costs=costs)
    assert isinstance(decision, Run)
    lengths = sorted(row.length for row in queue[: limits.max_rows * 8] if row.kind == queue[0].kind)
    place = lengths.index(queue[0].length)

    def share(slice_: list[int]) -> float:
        return costs.of(len(slice_), slice_[-1]) / (sum(costs.of(1, length) for length in slice_) + 1e-12)

    shares = [
        share(slice_)
        for first in range(place + 1)
        for last in range(place, len(lengths))
        if len(slice_ := lengths[first : last + 1]) <= limits.max_rows
        and len(slice_) * slice_[-1] <= limits.max_tokens
    ]
    least = min(shares, default=1.0)
    taken = share([queue[position].length for position in decision.positions])

    assert taken <= least + 1e-6 or (len(decision.positions) == 1 and least >= 0.98 - 1e-6)


def _run(lengths: list[int], costs: Costs, max_rows: int = 32) -> list[int]:
    queue = [WaitingRow(length) for length in lengths]
    decision = decide(
        queue,
        arriving=0,
        now=1,
        limits=Limits(max_rows=max_rows, max_tokens=16_384, max_wait=0.02),
        costs=costs,
    )
    assert isinstance(decision, Run)
    return [lengths[position] for position in decision.positions]


def test_an_empty_queue_has_nothing_to_run() -> None:
    limits = Limits(max_rows=32, max_tokens=1000, max_wait=0.02)

    assert decide([], arriving=3, now=0, limits=limits, costs=CPU) == Idle()


def test_a_processor_does_not_pad_a_short_row_to_a_long_one() -> None:
    assert _run([8, 128, 9, 8, 120], CPU) == [8, 8, 9]


def test_a_gpu_runs_them_all_together() -> None:
    assert _run([8, 128, 9, 8, 120], GPU) == [8, 8, 9, 120, 128]


def test_a_gpu_fills_its_batches() -> None:
    assert len(_run(list(range(1, 101)), GPU)) == 32


def test_a_long_row_that_is_the_oldest_takes_its_neighbours_not_the_short_ones() -> None:
    assert _run([120, 4, 4, 121, 4], GPU, max_rows=2) == [120, 121]


def test_a_row_beyond_the_token_limit_still_runs_alone() -> None:
    assert _run([20_000, 5], GPU) == [20_000]


def test_a_gpu_waits_for_who_is_coming_and_a_processor_hardly_does() -> None:
    limits = Limits(max_rows=32, max_tokens=16_384, max_wait=0.02)
    waits = [decide([WaitingRow(8)], arriving=2, now=0, limits=limits, costs=costs) for costs in (GPU, CPU)]

    assert waits == [WaitUntil(0.01), WaitUntil(0.0012)]
