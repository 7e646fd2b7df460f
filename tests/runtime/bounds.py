"""What an attack may cost: memory, and the time of others. Usable around anything that asks a runtime."""

import contextlib
import pathlib
import threading
import time
from collections.abc import Iterator

from tests.runtime.processes import RuntimeProcess

_ALLOWED_MIB = 64
# The machine of the tests is shared: a loop that is held for seconds is told from one that waits for a core.
_ALLOWED_SECONDS = 0.7
_ASK_EVERY_SECONDS = 0.01


@contextlib.contextmanager
def bounded(process: RuntimeProcess) -> Iterator[None]:
    """What happens in the block costs at most 64 MiB at any time, and the process serves after it."""
    pathlib.Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak counts from here
    before = memory(process, "VmRSS")
    yield
    peak = memory(process, "VmHWM")
    assert process.predict("good").json()["predictions"][0]["label"] == "positive"
    assert peak - before <= _ALLOWED_MIB, f"from {before} to {peak} MiB"


@contextlib.contextmanager
def responsive(process: RuntimeProcess) -> Iterator[None]:
    """While the block lasts somebody else asks the process all the time, and never waits for long."""
    over, waits = threading.Event(), [0.0]

    def ask() -> None:
        connection = process.connect(60)
        while not over.wait(_ASK_EVERY_SECONDS):
            began = time.monotonic()
            connection.request("GET", "/v2/health/live")
            connection.getresponse().read()
            waits.append(time.monotonic() - began)
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
    assert max(waits) <= _ALLOWED_SECONDS, f"somebody else waited for {max(waits):.2f} s"


def memory(process: RuntimeProcess, name: str) -> int:
    """A line of the process's status, in MiB."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) // 1024
    raise AssertionError(f"there is no {name}")
