"""The one thread that may touch a session.

Takes executions one at a time and reports each to the event loop with a single call. Knows what
neither of them is made of.
"""

import asyncio
import contextlib
import queue
import sys
import threading
import traceback
from collections.abc import Callable

from slipway_runtime.scheduling.execution import Execution

Report = Callable[[Execution], None]


class Worker:
    """`submit` from the event loop; `report` is called there for each execution that has ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop, report: Report, *, name: str) -> None:
        self._loop = loop
        self._report = report
        self._inbox: queue.SimpleQueue[Execution | None] = queue.SimpleQueue()
        self._resting = threading.Event()
        # A daemon: a run that never ends must not keep the process from ending.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def submit(self, execution: Execution) -> None:
        self._resting.clear()
        self._inbox.put(execution)

    def wait(self, seconds: float) -> bool:
        """Leave the processor to it for so long, or until it has ended what it was given. Blocks the loop."""
        return self._resting.wait(seconds)

    def stop(self) -> None:
        """End the thread after what was submitted."""
        self._inbox.put(None)

    def stack(self) -> str:
        """Where the thread is at the moment, for a log."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame is not None else "the thread has ended"

    def _serve(self) -> None:
        while (execution := self._inbox.get()) is not None:
            execution.run()
            self._resting.set()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                self._loop.call_soon_threadsafe(self._report, execution)
