"""The queue of one version over a run function that is written here: what becomes of every row.

The function stands where a model's `run` does, takes what that takes and fails as that fails.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from slipway_runtime.engine.model import (
    Answer,
    NotANumberError,
    OutOfMemoryError,
    Row,
    RunAbortedError,
    RunControl,
    Timing,
)
from slipway_runtime.scheduling.admission import QueueLimits
from slipway_runtime.scheduling.batcher import Batcher, BatcherOptions
from slipway_runtime.scheduling.calls import (
    PATIENT,
    Call,
    ClosedError,
    DeadlineExceededError,
    Lane,
    QueueFullError,
    RowFailedError,
)
from slipway_runtime.scheduling.costs import Estimate
from slipway_runtime.scheduling.execution import TokenBudget
from slipway_runtime.scheduling.jobs import Finished
from slipway_runtime.scheduling.policy import Limits
from slipway_runtime.scheduling.turns import Pending, Turns
from slipway_runtime.telemetry.metrics import Metrics

POISON = 13
GPU = (Timing(1, 8, 0.005), Timing(32, 8, 0.0051), Timing(1, 32, 0.005))
FAST = (Timing(1, 8, 0.0001), Timing(32, 8, 0.0032))


def _row(number: int, length: int = 8) -> Row:
    return Row((np.full(length, number, dtype=np.int64),), length)


@dataclass(slots=True)
class FakeModel:
    """Answers each row with its number. Row 13 breaks the run; `open` holds runs back until it is set."""

    runs: list[list[int]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    open: threading.Event = field(default_factory=threading.Event)
    memory: int = 10**9  # padded tokens
    at_once: int = 0
    most_at_once: int = 0

    def run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
        numbers = [int(row.values[0][0]) for row in rows]
        self.runs.append(numbers)
        self.threads.add(threading.get_ident())
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            self._wait(control)
        finally:
            self.at_once -= 1
        if len(rows) * max(row.length for row in rows) > self.memory:
            raise OutOfMemoryError("no room")
        if POISON in numbers:
            raise NotANumberError("the answer is not a number")
        return [(np.array([number]),) for number in numbers]

    async def has_run(self, times: int) -> None:
        while len(self.runs) < times:  # noqa: ASYNC110  # runs begin in another thread
            await asyncio.sleep(0.002)

    def _wait(self, control: RunControl) -> None:
        while not self.open.wait(0.005):
            if control.aborted:
                raise RunAbortedError("told to")


@dataclass(frozen=True, slots=True)
class Bench:
    """A batcher over a fake model."""

    model: FakeModel
    batcher: Batcher

    async def ask(
        self, *numbers: int, call: Call = PATIENT, length: int = 8, lengths: Sequence[int] | None = None
    ) -> Finished:
        predicted = self.batcher.admit(len(numbers), call)
        rows = map(_row, numbers, lengths or [length] * len(numbers))
        return await self.batcher.run([*rows], call, predicted=predicted)

    def begin(self, *numbers: int, call: Call = PATIENT) -> "asyncio.Task[Finished]":
        return asyncio.create_task(self.ask(*numbers, call=call))

    async def occupied(self) -> "asyncio.Task[Finished]":
        """A run under way that ends when the model is opened."""
        task = self.begin(0)
        await self.model.has_run(1)
        return task


def _options(warm_up: Sequence[Timing] = GPU, **changes: object) -> BatcherOptions:
    limits = Limits(max_rows=32, max_tokens=16_384, max_wait=0.02)
    queue = QueueLimits(max_seconds=1000, max_rows=10_000)
    return BatcherOptions(**{"limits": limits, "estimate": Estimate(warm_up), "queue": queue, **changes})  # type: ignore[arg-type]


def _serve(
    story: Callable[[Bench], Awaitable[None]], options: BatcherOptions | None = None, *, shut: bool = False
) -> FakeModel:
    """Run `story` on a bench; `shut`: the model's runs wait until the story opens it."""

    async def run() -> FakeModel:
        bench = Bench(model, Batcher(model.run, options or _options(), Metrics()))
        try:
            async with asyncio.timeout(20):
                await story(bench)
        finally:
            model.open.set()
            await bench.batcher.close()
        return model

    model = FakeModel()
    if not shut:
        model.open.set()
    return asyncio.run(run())


def _numbers(finished: Finished) -> list[int | str]:
    return [
        "failed" if isinstance(outcome, RowFailedError) else int(outcome[0][0])
        for outcome in finished.outcomes
    ]


def test_every_row_gets_its_own_answer_in_order() -> None:
    async def story(bench: Bench) -> None:
        requests = [[number * 100 + 20 + row for row in range(1 + number % 40)] for number in range(50)]
        found = await asyncio.gather(*(bench.ask(*numbers) for numbers in requests))
        assert [_numbers(one) for one in found] == requests

    model = _serve(story)
    assert max(map(len, model.runs)) == 32


class Unteachable(Estimate):
    """Fails whenever it is to learn from a run."""

    def observe(self, *, rows: int, tokens: int, cost: float, seconds: float) -> None:
        raise ArithmeticError(f"nothing to learn from {rows} rows of {tokens} tokens in {seconds} s: {cost}")


@pytest.mark.parametrize("warm_up", [GPU, FAST], ids=["in the thread", "on the loop"])
def test_an_estimate_that_fails_costs_nobody_an_answer(warm_up: Sequence[Timing]) -> None:
    async def story(bench: Bench) -> None:
        found = await asyncio.gather(*(bench.ask(number) for number in range(20, 60)))
        assert [_numbers(one) for one in found] == [[number] for number in range(20, 60)]

    _serve(story, _options(estimate=Unteachable(warm_up)))


def test_requests_that_wait_together_are_run_together() -> None:
    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        others = [bench.begin(number) for number in (1, 2, 3)]
        await asyncio.sleep(0.01)
        bench.model.open.set()
        await asyncio.gather(first, *others)

    assert _serve(story, shut=True).runs == [[0], [1, 2, 3]]


def test_a_row_that_breaks_the_model_fails_alone() -> None:
    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        good = [bench.begin(number) for number in range(20, 50)]
        bad = bench.begin(20, POISON)
        await asyncio.sleep(0.01)
        bench.model.open.set()
        found = await asyncio.gather(first, *good)
        assert [_numbers(one) for one in found] == [[0], *([number] for number in range(20, 50))]
        outcome = (await bad).outcomes[1]
        assert isinstance(outcome, RowFailedError)
        assert str(outcome) == "row 1: the answer is not a number"
        assert _numbers(await bad) == [20, "failed"]

    model = _serve(story, shut=True)
    # The batch, and twice the halves down to the one row: nobody is run alone for another's fault.
    assert len([run for run in model.runs if POISON in run]) == 6
    assert len(model.runs) <= 2 + 2 * 5 + 2


def test_too_little_memory_for_a_batch_is_met_with_smaller_ones() -> None:
    async def story(bench: Bench) -> None:
        bench.model.memory = 50
        assert _numbers(await bench.ask(*range(100, 132))) == list(range(100, 132))
        bench.model.runs.clear()
        assert _numbers(await bench.ask(*range(200, 232))) == list(range(200, 232))
        assert max(len(run) for run in bench.model.runs) * 8 <= 50

    _serve(story)


def test_a_row_that_is_too_large_for_the_memory_fails_alone() -> None:
    async def story(bench: Bench) -> None:
        bench.model.memory = 50
        small, large = await asyncio.gather(bench.ask(1), bench.ask(2, length=100))
        assert (_numbers(small), _numbers(large)) == ([1], ["failed"])

    _serve(story)


def test_a_row_that_never_fits_says_nothing_about_the_batches_of_others() -> None:
    async def story(bench: Bench) -> None:
        bench.model.memory = 300
        alone = await bench.ask(1, length=400)
        mixed = await bench.ask(*range(100, 107), lengths=[8, 8, 400, 8, 8, 8, 8])
        assert _numbers(alone) == ["failed"]
        assert _numbers(mixed) == [100, 101, "failed", 103, 104, 105, 106]
        bench.model.runs.clear()
        assert _numbers(await bench.ask(*range(200, 232))) == list(range(200, 232))
        assert [len(run) for run in bench.model.runs] == [32]

    _serve(story)


def test_a_budget_that_was_halved_grows_back_slowly_whatever_the_length_of_rows() -> None:
    budget = TokenBudget(16_384)
    budget.ran_out(32)
    assert budget.tokens == 16

    for _ in range(200):
        budget.went_well()
    assert 16 < budget.tokens < 32

    for _ in range(10_000):
        budget.went_well()
    assert budget.tokens == 16_384


def test_a_model_that_answers_too_few_rows_fails_them_and_not_the_queue() -> None:
    def forgetful(rows: Sequence[Row], control: RunControl) -> list[Answer]:
        return []

    async def story() -> None:
        batcher = Batcher(forgetful, _options(), Metrics())
        finished = await batcher.run([_row(1)], PATIENT, predicted=0)
        assert _numbers(finished) == ["failed"]
        await batcher.close()

    asyncio.run(story())


def test_who_leaves_the_queue_is_not_run_and_harms_nobody() -> None:
    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        requests = [bench.begin(number) for number in range(1, 7)]
        await asyncio.sleep(0.01)
        requests[1].cancel()
        await asyncio.sleep(0.01)
        bench.model.open.set()
        found = await asyncio.gather(first, *requests, return_exceptions=True)
        answered = [_numbers(one) for one in found if isinstance(one, Finished)]
        assert answered == [[0], [1], [3], [4], [5], [6]]

    assert _serve(story, shut=True).runs == [[0], [1, 3, 4, 5, 6]]


def test_who_leaves_during_the_run_harms_nobody() -> None:
    async def story(bench: Bench) -> None:
        requests = [bench.begin(number) for number in range(1, 7)]
        await bench.model.has_run(1)
        requests[1].cancel()
        await asyncio.sleep(0.01)
        bench.model.open.set()
        found = await asyncio.gather(*requests, return_exceptions=True)
        assert sum(isinstance(one, Finished) for one in found) == 5
        assert _numbers(await bench.ask(8)) == [8]

    _serve(story, shut=True)


def test_a_run_that_nobody_waits_for_any_more_is_ended() -> None:
    async def story(bench: Bench) -> None:
        task = await bench.occupied()
        task.cancel()
        other = bench.begin(1)
        await bench.model.has_run(2)  # the model has not been opened: only an aborted run ends
        bench.model.open.set()
        assert _numbers(await other) == [1]

    _serve(story, shut=True)


def test_a_deadline_that_passes_in_the_queue_is_told_at_once_and_the_row_is_not_run() -> None:
    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        late = bench.begin(1, call=Call(deadline=time.monotonic() + 0.05))
        patient = bench.begin(2, call=Call(deadline=time.monotonic() + 15))
        with pytest.raises(DeadlineExceededError):
            await late
        assert not first.done()
        bench.model.open.set()
        assert _numbers(await patient) == [2]

    assert _serve(story, shut=True).runs == [[0], [2]]


def test_a_deadline_that_passes_in_the_run_ends_it_unless_a_mate_still_waits() -> None:
    async def story(bench: Bench) -> None:
        soon = time.monotonic() + 0.1
        late, patient = bench.begin(1, call=Call(deadline=soon)), bench.begin(2)
        with pytest.raises(DeadlineExceededError):
            await late
        assert not patient.done()
        patient.cancel()  # now nobody does
        next_one = bench.begin(3)
        await bench.model.has_run(2)
        bench.model.open.set()
        assert _numbers(await next_one) == [3]

    assert _serve(story, shut=True).runs == [[1, 2], [3]]


def test_no_run_may_take_for_ever() -> None:
    async def story(bench: Bench) -> None:
        assert _numbers(await bench.ask(1, 2)) == ["failed", "failed"]
        bench.model.open.set()
        assert _numbers(await bench.ask(3)) == [3]

    _serve(story, _options(max_run_seconds=0.1), shut=True)


def test_a_run_far_beyond_its_prediction_is_seen_from_outside() -> None:
    async def story(bench: Bench) -> None:
        assert bench.batcher.overdue(time.monotonic()) == 0
        task = await bench.occupied()
        now = time.monotonic()
        assert bench.batcher.overdue(now) < 1 < bench.batcher.overdue(now + 11)
        assert bench.batcher.overdue(now + 31) > 3
        bench.model.open.set()
        await task
        assert bench.batcher.overdue(time.monotonic() + 100) == 0

    _serve(story, shut=True)


def test_interactive_requests_go_before_bulk_ones() -> None:
    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        bulk = bench.begin(1, 2, 3, call=Call(lane=Lane.BULK))
        await asyncio.sleep(0.01)
        interactive = bench.begin(4)
        await asyncio.sleep(0.01)
        bench.model.open.set()
        await asyncio.gather(first, bulk, interactive)

    assert _serve(story, shut=True).runs == [[0], [4], [1, 2, 3]]


def test_a_single_text_does_not_wait_for_all_of_a_large_request() -> None:
    async def story(bench: Bench) -> None:
        large = bench.begin(*range(100, 200))
        await bench.model.has_run(1)
        single = bench.begin(1)
        await asyncio.sleep(0.01)
        bench.model.open.set()
        await single
        assert not large.done()
        await large

    _serve(story, _options(limits=Limits(max_rows=8, max_tokens=16_384, max_wait=0)), shut=True)


def test_new_clients_are_served_among_those_that_keep_coming_back() -> None:
    """64 clients that ask again and again, one request of a hundred texts, and 64 clients with one each."""

    async def story(bench: Bench) -> None:
        stop = asyncio.Event()

        async def regular(number: int) -> None:
            while not stop.is_set():
                await bench.ask(number)

        regulars = [asyncio.create_task(regular(20 + number)) for number in range(64)]
        await asyncio.sleep(0.05)
        large = bench.begin(*range(1000, 1100))
        before = sum(map(len, bench.model.runs))
        await asyncio.gather(*(bench.ask(200 + number) for number in range(64)))
        rows = sum(map(len, bench.model.runs)) - before
        stop.set()
        await asyncio.gather(large, *regulars)
        assert rows <= 2 * (64 + 64 + 10)  # twice a round of all of them

    _serve(story, _options(limits=Limits(max_rows=8, max_tokens=16_384, max_wait=0.02)))


def test_a_run_shorter_than_a_hand_over_happens_where_the_request_is() -> None:
    async def story(bench: Bench) -> None:
        for number in range(5):
            await bench.ask(number)

    assert _serve(story, _options(FAST)).threads == {threading.get_ident()}
    assert threading.get_ident() not in _serve(story, _options(GPU)).threads
    patient = _options(GPU, inline_seconds=0.01)  # where the thread has no processor of its own
    assert _serve(story, patient).threads == {threading.get_ident()}


def test_a_session_is_never_in_two_runs_at_once() -> None:
    async def story(bench: Bench) -> None:
        async def client(number: int) -> None:
            for count in range(10):
                await bench.ask(*range(20, 20 + 1 + (number * count) % 10))

        await bench.ask(1)  # alone, and so on the loop's own thread
        await asyncio.gather(*map(client, range(10)))

    model = _serve(story, _options(FAST))
    assert len(model.threads) == 2
    assert model.most_at_once == 1


def _take(rows: Sequence[Row], control: RunControl) -> list[Answer]:
    """20 ms a run, however many rows."""
    time.sleep(0.02)
    return [(row.values[0],) for row in rows]


@contextlib.asynccontextmanager
async def _busy(versions: int, batches: int, **changes: object) -> AsyncIterator[list[Batcher]]:
    """Versions of one process, `batches` of one row waiting in all but the first of them."""
    costs = (Timing(1, 8, 0.02), Timing(32, 8, 0.02), Timing(1, 32, 0.02))
    limits = Limits(max_rows=1, max_tokens=16_384, max_wait=0.0)
    options = _options(costs, limits=limits, turns=Turns(), **changes)
    batchers = [Batcher(_take, options, Metrics()) for _ in range(versions)]
    waiting = [
        asyncio.create_task(one.run([_row(1)], PATIENT, predicted=0))
        for one in batchers[1:]
        for _ in range(batches)
    ]
    await asyncio.sleep(0.005)
    try:
        yield batchers
    finally:
        for one in batchers:
            await one.close()
        await asyncio.gather(*waiting, return_exceptions=True)


def test_a_request_is_told_what_the_other_versions_take_of_the_processor() -> None:
    async def story() -> None:
        async with _busy(4, 30) as [_, busy, *_]:
            predicted = busy.admit(1, PATIENT)  # behind 30 of its own, and so behind 30 of each other one
            began = time.monotonic()
            await busy.run([_row(1)], PATIENT, predicted=predicted)
            took = time.monotonic() - began
        assert took / 2 < predicted < took * 1.2

    asyncio.run(story())


def test_the_backlog_of_another_version_counts_for_no_more_than_its_turns() -> None:
    async def story() -> None:
        async with _busy(3, 50) as [idle, *_]:
            assert 0.01 < idle.admit(1, PATIENT) < 0.1  # a run under way, and one of the third
            with pytest.raises(DeadlineExceededError):
                idle.admit(1, Call(deadline=time.monotonic() + 0.01))

    asyncio.run(story())


def test_a_queue_is_full_by_the_time_that_it_takes_beside_the_others() -> None:
    async def story() -> None:
        queue = QueueLimits(max_seconds=1.0, max_rows=10_000)
        async with _busy(2, 30, queue=queue) as [_, alone]:
            alone.admit(1, PATIENT)
        async with _busy(3, 30, queue=queue) as [_, busy, _]:
            with pytest.raises(QueueFullError):
                busy.admit(1, PATIENT)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("pending", "turns", "seconds"),
    [
        (Pending(None, batches=0, seconds=0.0), 5, 0.0),
        (Pending(None, batches=10, seconds=2.0), 3, 0.6),
        (Pending(None, batches=2, seconds=2.0), 3, 2.0),
        (Pending(0.1, batches=10, seconds=2.0), 1, 0.1),
        (Pending(0.1, batches=10, seconds=2.0), 3, 0.5),
        (Pending(0.0, batches=0, seconds=0.0), 3, 0.0),
    ],
    ids=["nothing", "three of ten", "no more than there are", "its turn now", "now and twice", "overdue"],
)
def test_others_take_as_many_turns_as_the_queue_itself(pending: Pending, turns: int, seconds: float) -> None:
    assert pending.within(turns) == pytest.approx(seconds)


def test_two_versions_of_a_process_take_turns() -> None:
    order: list[str] = []

    def running(name: str) -> Callable[[Sequence[Row], RunControl], list[Answer]]:
        def run(rows: Sequence[Row], control: RunControl) -> list[Answer]:
            order.append(name)
            time.sleep(0.005)
            return [(np.zeros(1),) for _ in rows]

        return run

    async def story() -> None:
        turns = Turns()
        limits = Limits(max_rows=1, max_tokens=1000, max_wait=0)
        options = _options(limits=limits, turns=turns)
        batchers = {name: Batcher(running(name), options, Metrics()) for name in "ab"}
        crowd = [batchers["a"].run([_row(1)], PATIENT, predicted=0) for _ in range(20)]
        few = [batchers["b"].run([_row(1)], PATIENT, predicted=0) for _ in range(5)]
        await asyncio.gather(*crowd, *few)
        for batcher in batchers.values():
            await batcher.close()

    asyncio.run(story())
    assert "".join(order[:10]) in ("ab" * 5, "ba" * 5)
    assert order.count("a") == 20


def test_a_version_that_is_closed_lets_the_other_one_go_on() -> None:
    async def story() -> None:
        turns, model = Turns(), FakeModel()
        model.open.set()
        closing, staying = (Batcher(model.run, _options(turns=turns), Metrics()) for _ in range(2))
        task = asyncio.create_task(closing.run([_row(1)], PATIENT, predicted=0))
        await asyncio.sleep(0)
        await closing.close()
        await asyncio.wait([task])
        assert _numbers(await staying.run([_row(2)], PATIENT, predicted=0)) == [2]
        await staying.close()

    asyncio.run(story())


def test_what_waits_when_a_version_is_closed_is_told_so() -> None:
    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        waiting = bench.begin(1)
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(bench.batcher.close())
        await asyncio.sleep(0.01)
        bench.model.open.set()
        await closing
        assert _numbers(await first) == [0]  # what has begun is answered
        with pytest.raises(ClosedError):
            await waiting
        with pytest.raises(ClosedError):
            bench.batcher.admit(1, PATIENT)

    _serve(story, shut=True)


def test_a_full_queue_refuses_and_an_empty_one_takes_any_request() -> None:
    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        large = bench.begin(*range(100, 1100))
        await asyncio.sleep(0.01)
        with pytest.raises(QueueFullError) as refused:
            await bench.ask(1)
        assert refused.value.retry_after == 1
        bench.model.open.set()
        await asyncio.gather(first, large)
        assert _numbers(await bench.ask(1)) == [1]

    _serve(story, _options(queue=QueueLimits(max_seconds=0.1, max_rows=10_000)), shut=True)


def test_rows_are_held_back_for_requests_that_are_arriving_but_not_for_long() -> None:
    async def story(bench: Bench) -> None:
        with bench.batcher.arrival():
            task = bench.begin(1)
            await asyncio.wait([task], timeout=5)
            assert task.done()  # five milliseconds are all that company could save

    _serve(story)


def test_the_end_of_an_arrival_ends_the_waiting_for_it() -> None:
    async def story(bench: Bench) -> None:
        with bench.batcher.arrival(), bench.batcher.arrival():
            first = bench.begin(1)
            await asyncio.sleep(0)
            second = bench.begin(2)
            await asyncio.sleep(0)
        await asyncio.gather(first, second)

    slow_to_start = (Timing(1, 8, 1.0), Timing(32, 8, 1.0))
    limits = Limits(max_rows=32, max_tokens=16_384, max_wait=5)
    assert _serve(story, _options(slow_to_start, limits=limits)).runs == [[1, 2]]


def test_what_was_done_is_counted() -> None:
    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        others = [bench.begin(number) for number in (1, 2, 3)]
        gone = bench.begin(4)
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.sleep(0)
        bench.model.open.set()
        await asyncio.gather(first, *others)

        counts = bench.batcher.statistics
        assert (counts.inference_count, counts.execution_count) == (4, 2)
        assert {rows: one.count for rows, one in counts.batches.items()} == {1: 1, 3: 1}
        assert (counts.success.count, counts.fail.count) == (4, 1)
        assert counts.queue.ns + counts.compute.ns == pytest.approx(counts.success.ns, abs=10)
        assert abs(counts.last_inference / 1000 - time.time()) < 60
        await bench.ask(5, POISON)
        assert (counts.success.count, counts.fail.count) == (4, 2)

    _serve(story, shut=True)


def test_the_state_of_the_queue_is_shown_by_model_and_version() -> None:
    async def story() -> None:
        metrics, model = Metrics(), FakeModel()
        batcher = Batcher(model.run, _options(model="sentiment", version="2"), metrics)
        tasks = [asyncio.create_task(batcher.run([_row(1)], PATIENT, predicted=0)) for _ in range(5)]
        await model.has_run(1)
        late = asyncio.create_task(batcher.run([_row(1)], PATIENT, predicted=0))
        await asyncio.sleep(0.01)
        shown = metrics.render().decode()
        assert 'slipway_queue_rows{model="sentiment",version="2"} 1.0' in shown
        assert 'slipway_requests_in_flight{model="sentiment",version="2"} 6.0' in shown
        assert 'slipway_cost_seconds{model="sentiment",per="run",version="2"}' in shown
        model.open.set()
        await asyncio.gather(*tasks, late)
        await batcher.close()
        assert "sentiment" not in metrics.render().decode()

    asyncio.run(story())


def test_a_loop_that_stands_aside_sees_to_everything_meanwhile() -> None:
    """On one processor: requests that come during a run are queued, leave, and are answered after it."""

    async def story(bench: Bench) -> None:
        first = await bench.occupied()
        patient, gone = bench.begin(1), bench.begin(2)
        late = bench.begin(3, call=Call(deadline=time.monotonic() + 0.05))
        await asyncio.sleep(0.02)
        gone.cancel()
        with pytest.raises(DeadlineExceededError):
            await late
        assert not first.done()

        bench.model.open.set()
        assert _numbers(await first) == [0]
        assert _numbers(await patient) == [1]
        assert bench.model.runs == [[0], [1]]
        assert len(bench.model.threads) == 1

    _serve(story, _options(aside_seconds=0.01), shut=True)


def test_a_loop_that_stands_aside_ends_a_run_that_takes_too_long() -> None:
    async def story(bench: Bench) -> None:
        outcome = (await bench.ask(0)).outcomes[0]
        assert isinstance(outcome, RowFailedError)
        assert isinstance(outcome.__cause__, RunAbortedError)

    _serve(story, _options(aside_seconds=0.01, max_run_seconds=0.1), shut=True)
