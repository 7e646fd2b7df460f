"""Runs that end by themselves after a time: for those before anybody waits who could end them.

A model may loop for ever; the batcher watches its runs, and a warm-up has no batcher.
"""

import contextlib
import threading
from collections.abc import Iterator

from slipway_runtime.engine.model import RunControl


@contextlib.contextmanager
def control(seconds: float) -> Iterator[RunControl]:
    """A control for one run, aborted after `seconds`."""
    made = RunControl()
    timer = threading.Timer(seconds, made.abort)
    timer.daemon = True
    timer.start()
    try:
        yield made
    finally:
        timer.cancel()
