"""One at a time, among all processes of this user on this machine.

Must not know what is guarded.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import paths


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Wait until no other process is in a block of that name, and keep others out of it."""
    file = paths.cache() / "lock" / f"{name}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # the kernel lets go of it with the process
        yield
