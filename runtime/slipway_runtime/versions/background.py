"""Work that must not hurt the requests that are being served: a thread of its own, at a low priority.

A thread of a pool would stay low for ever: without privileges a priority only ever goes down. For
the same reason nothing that outlives the work may be started in it: threads inherit. Knows no models.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import TypeVar

# What the rest of the process gets of a processor that both want: some ten times as much.
LOW = 10

_T = TypeVar("_T")


def run(work: Callable[[], _T], *, name: str, nice: int) -> asyncio.Future[_T]:
    """Begin `work` in a new thread. Cancelling the future does not end it; a daemon, it delays no exit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def report(result: _T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # a None is a _T where there was no error

    def tell(result: _T | None, error: BaseException | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(report, result, error)

    def body() -> None:
        try:
            if nice:
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
            result = work()
        except BaseException as error:  # whatever it is, the one who waits must hear of it
            tell(None, error)
        else:
            tell(result, None)

    threading.Thread(target=body, name=name, daemon=True).start()
    return future
