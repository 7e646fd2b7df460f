"""The queue: a key once, one worker a key, a key asked for meanwhile comes again."""

import asyncio

import pytest

from slipway_operator.controller import work_queue, workers

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
    assert workers.backoff(failures) == seconds
