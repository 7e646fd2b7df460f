"""Signals to a runtime, sent from within its own pod: its image has a Python, and no shell is needed.

The pod shares its process namespace, so that the runtime is not process 1 and can be ended by any signal.
Must not know which pod.
"""

import signal as signals

_PROGRAM = """
import os, pathlib, signal
own = os.getpid()
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    pid = int(folder.name)
    try:
        runs = b"slipway_runtime" in (folder / "cmdline").read_bytes().split(b"\\0")
        if runs and pid != own:
            os.kill(pid, {number})
    except (FileNotFoundError, ProcessLookupError):
        pass
"""


def signal(name: str) -> list[str]:
    """The command that sends the signal to every process of a runtime that runs beside it."""
    number = int(signals.Signals[f"SIG{name}"])
    return ["/opt/slipway/bin/python", "-c", _PROGRAM.format(number=number)]
