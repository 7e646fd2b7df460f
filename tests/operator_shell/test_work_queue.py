"""The queue: a key once, one worker a key, a key asked for meanwhile comes again."""

import asyncio
from typing import cast

import pytest

from slipway_operator.controller import backoff, reconciler, work_queue, workers

A, B = work_queue.Key("default", "a"), work_queue.Key("default", "b")


def test_a_key_asked_for_many_times_is_handed_out_once() -> None:
    async def story() -> None:
        queue = work_queue.WorkQueue()
        for key in (A, A, B, A):
            queue.add(key)
        assert [await queue.get(), await queue.get()] == [A, B]
        assert queue.depth == 0

    asyncio.run(story())


def test_a_key_asked_for_while_a_worker_has_it_comes_again_and_not_before() -> None:
    async def story() -> None:
        queue = work_queue.WorkQueue()
        queue.add(A)
        assert await queue.get() == A
        queue.add(A)
        second = asyncio.create_task(queue.get())
        await asyncio.sleep(0.01)
        assert not second.done()
        queue.done(A)
        assert await second == A

    asyncio.run(story())


def test_a_key_due_later_comes_then_or_earlier_when_an_event_asks_for_it() -> None:
    async def story() -> None:
        queue = work_queue.WorkQueue()
        queue.add_after(A, 0.01)
        queue.add_after(B, 60)
        assert await queue.get() == A
        queue.add(B)
        assert await queue.get() == B

    asyncio.run(story())


def test_every_waiting_worker_gets_work() -> None:
    async def story() -> None:
        queue = work_queue.WorkQueue()
        waiting = [asyncio.create_task(queue.get()) for _ in range(2)]
        await asyncio.sleep(0)
        queue.add(A)
        queue.add(B)
        assert set(await asyncio.gather(*waiting)) == {A, B}

    asyncio.run(story())


def test_the_age_is_that_of_the_oldest_key_and_a_repeated_wish_does_not_renew_it() -> None:
    async def story() -> None:
        queue = work_queue.WorkQueue()
        assert queue.age == 0.0
        queue.add(A)
        await asyncio.sleep(0.02)
        queue.add(A)
        assert queue.age >= 0.02

    asyncio.run(story())


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.5), (2, 1.0), (5, 8.0), (50, 300.0)])
def test_pauses_after_failures_double_up_to_five_minutes(failures: int, seconds: float) -> None:
    assert backoff.seconds(failures) == seconds


def test_a_key_that_a_worker_has_does_not_wait_but_runs() -> None:
    async def story() -> None:
        queue = work_queue.WorkQueue()
        queue.add(A)
        await queue.get()
        queue.add(A)
        await asyncio.sleep(0.02)
        assert queue.age == 0.0
        assert queue.running_age >= 0.02
        queue.done(A)
        assert queue.running_age == 0.0
        assert queue.age >= 0.02

    asyncio.run(story())


def test_the_queue_knows_what_waits_runs_or_comes_again() -> None:
    async def story() -> None:
        queue = work_queue.WorkQueue()
        assert not queue.knows(A)
        queue.add(A)
        assert queue.knows(A)
        await queue.get()
        assert queue.knows(A)
        queue.done(A)
        assert not queue.knows(A)
        queue.add_after(A, 60)
        assert queue.knows(A)

    asyncio.run(story())


class Looks:
    """Looks that take as long as they are told to."""

    def __init__(self, seconds: float, answer: float | None = None) -> None:
        self.seconds = seconds
        self.answer = answer
        self.begun: list[work_queue.Key] = []
        self.ended: list[work_queue.Key] = []

    async def reconcile(self, key: work_queue.Key) -> float | None:
        self.begun.append(key)
        await asyncio.sleep(self.seconds)
        self.ended.append(key)
        return self.answer


def _at_work(queue: work_queue.WorkQueue, looks: Looks) -> asyncio.Task[None]:
    real = cast("reconciler.Reconciler", looks)
    return asyncio.create_task(workers.work(queue, real, resync_seconds=60))


@pytest.mark.parametrize(
    ("takes", "patience", "ended"),
    [
        pytest.param(0.05, 60.0, [A], id="a look that is under way comes to its end, and none begins"),
        pytest.param(60.0, 0.05, [], id="one that takes too long is cut off"),
    ],
)
def test_the_workers_end_in_good_order(takes: float, patience: float, ended: list[work_queue.Key]) -> None:
    async def story() -> None:
        queue, looks = work_queue.WorkQueue(), Looks(takes)
        busy = _at_work(queue, looks)
        queue.add(A)
        while not looks.begun:  # noqa: ASYNC110 - the look itself is not to be touched
            await asyncio.sleep(0)
        idle = _at_work(queue, looks)
        await asyncio.sleep(0)
        queue.add(B)
        queue.close()
        await workers.finish(queue, [busy, idle], seconds=patience)
        assert busy.done()
        assert idle.done()
        assert looks.begun == [A]
        assert looks.ended == ended

    asyncio.run(story())


@pytest.mark.parametrize(
    ("answer", "comes_again"),
    [
        pytest.param(None, True, id="a model is looked at again whatever happened"),
        pytest.param(3600.0, True, id="also when its plan sees no need for so long"),
        pytest.param(reconciler.GONE, False, id="but not when it is gone"),
    ],
)
def test_a_model_comes_again_as_long_as_it_is_there(answer: float | None, *, comes_again: bool) -> None:
    async def story() -> None:
        queue, looks = work_queue.WorkQueue(), Looks(0, answer)
        worker = _at_work(queue, looks)
        queue.add(A)
        while not looks.ended or queue.running_age:  # noqa: ASYNC110 - nor here
            await asyncio.sleep(0.001)
        assert queue.knows(A) is comes_again
        await workers.finish(queue, [worker], seconds=60)

    asyncio.run(story())
