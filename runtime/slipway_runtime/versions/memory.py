"""How much memory this container may use, how much it uses, and giving back what is no longer used.

The kernel kills a process that goes over its limit, and with it the version that serves: what would
not fit must not be begun. Reads files under /sys/fs/cgroup and /proc, nothing else.
"""

import contextlib
import ctypes
import gc
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

_CGROUP = pathlib.Path("/sys/fs/cgroup")
# A version 1 cgroup without a limit says the largest number of pages that there could be.
_NO_LIMIT = 1 << 60
# onnxruntime keeps the weights as they lie in the file and once more while it prepares them.
_TIMES_FILES = 2
_HEADROOM = 64 << 20

_LIBC = ctypes.CDLL(None)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_SMALL_BLOCK = 256 << 10
_LARGEST_BLOCK = 32 << 20  # where malloc's own, moving threshold ends


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `used` cannot be reclaimed: without the pages of files, which the kernel gives up first."""

    limit: int
    used: int

    def shortage(self, file_bytes: int) -> str:
        """Why a model of `file_bytes` cannot be loaded now; "" when it fits."""
        needed = estimate(file_bytes)
        if self.used + needed <= self.limit:
            return ""
        return (
            f"it needs some {_mib(needed)} beside the {_mib(self.used)} in use, and the container's limit is "
            f"{_mib(self.limit)}: raise resources.limits.memory, or remove another version first"
        )


def estimate(file_bytes: int) -> int:
    """What a model whose files have `file_bytes` may take at its peak."""
    return file_bytes * _TIMES_FILES + _HEADROOM


def read(root: pathlib.Path = _CGROUP, *, limit: int | None = None) -> Memory | None:
    """The memory of this container (cgroup v2 or v1); None where nothing limits it.

    A given `limit` is one for this process alone, wherever it runs.
    """
    if limit is not None:
        return Memory(limit=limit, used=anonymous_bytes())
    try:
        if (root / "memory.max").exists():
            return _version_2(root)
        return _version_1(root / "memory")
    except (OSError, ValueError, KeyError):
        return None


def anonymous_bytes(status: pathlib.Path = pathlib.Path("/proc/self/status")) -> int:
    """Memory of this process that is no file's: what loading and unloading must not make grow."""
    facts = _table(status)
    return int(facts["RssAnon:"]) * 1024


def share_heaps() -> None:
    """To be called before there are threads, each of which would keep the rest of a heap of its own."""
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_M_ARENA_MAX, 2)


@contextlib.contextmanager
def large_blocks_apart() -> Iterator[None]:
    """While it lasts, large blocks are mapped one by one, and so return to the kernel when they are freed.

    For the weights of a model: between the small blocks of a heap they would leave holes that stay.
    Not for what a run needs, since mapping costs it time; afterwards glibc's own upper bounds hold.
    """
    _tell_malloc(_SMALL_BLOCK, _SMALL_BLOCK)
    try:
        yield
    finally:
        _tell_malloc(_LARGEST_BLOCK, 2 * _LARGEST_BLOCK)


def _tell_malloc(map_from: int, trim_from: int) -> None:
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_M_MMAP_THRESHOLD, map_from)
        _LIBC.mallopt(_M_TRIM_THRESHOLD, trim_from)


def settle() -> None:
    """What there is by now stays: full collections leave it out, each of which would take 50 ms for it."""
    gc.unfreeze()  # what was here before may have gone
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Collect what refers to itself, and return free memory to the kernel. Takes tens of milliseconds."""
    settle()
    trim()


def trim() -> None:
    """Return free memory to the kernel. Blocks for tens of milliseconds: use a thread."""
    if hasattr(_LIBC, "malloc_trim"):  # glibc; musl returns it by itself
        _LIBC.malloc_trim(0)


def _version_2(root: pathlib.Path) -> Memory | None:
    limit = (root / "memory.max").read_text().strip()
    if limit == "max":
        return None
    files = _files(root / "memory.stat", "active_file", "inactive_file")
    return Memory(limit=int(limit), used=int((root / "memory.current").read_text()) - files)


def _version_1(root: pathlib.Path) -> Memory | None:
    limit = int((root / "memory.limit_in_bytes").read_text())
    if limit >= _NO_LIMIT:
        return None
    files = _files(root / "memory.stat", "total_active_file", "total_inactive_file")
    return Memory(limit=limit, used=int((root / "memory.usage_in_bytes").read_text()) - files)


def _files(statistics: pathlib.Path, *names: str) -> int:
    facts = _table(statistics)
    return sum(int(facts[name]) for name in names)


def _table(path: pathlib.Path) -> dict[str, str]:
    lines = (line.split() for line in path.read_text().splitlines())
    return {fields[0]: fields[1] for fields in lines if len(fields) > 1}


def _mib(count: int) -> str:
    return f"{count / (1 << 20):.0f} MiB"
