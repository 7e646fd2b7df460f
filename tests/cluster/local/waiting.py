"""Waits until something holds, and gives up early when a program that it hangs on has ended.

Must not know what is waited for.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster import commands
from tests.cluster.errors import ClusterError
from tests.cluster.local.processes import Process


def until(
    condition: Callable[[], bool], seconds: float, what: str, processes: Sequence[Process], logs: Path
) -> None:
    """Return when `condition` holds. ClusterError when a process ends meanwhile, or after `seconds`.

    `what` says what is waited for, as a sentence without its end; `logs` holds a file a process.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        for process in processes:
            if not process.alive:
                raise ClusterError(f"{process.name} has ended by itself. {_last_words(process, logs)}")
        if time.monotonic() > deadline:
            raise ClusterError(f"Waited {seconds:g} s in vain until {what}. The logs: {logs}")
        time.sleep(0.1)


def _last_words(process: Process, logs: Path) -> str:
    log = logs / f"{process.name}.log"
    text = log.read_text(errors="replace") if log.exists() else ""
    return f"The end of {log}:\n{commands.tail(text)}"
