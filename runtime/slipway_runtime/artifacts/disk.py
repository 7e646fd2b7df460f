"""New files on the disk of ours, and what to say when it has no room for them.

An error of the disk must never be taken for one of the source, which would be tried again.
"""

import errno
import hashlib
import os
import pathlib
from collections.abc import Iterable

from slipway_runtime.failures import Reason, StartupError

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SPARE_BYTES = 16 << 20
_BUFFER_BYTES = 1 << 18


def create(path: pathlib.Path) -> int:
    """The descriptor of a new file that only this user can read."""
    try:
        return os.open(path, _FLAGS, 0o600)
    except OSError as error:
        raise _unwritable(error) from error


def write(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data` at `offset`. Raises StartupError when the disk takes no more."""
    left = memoryview(data)
    try:
        while left:
            written = os.pwrite(descriptor, left, offset)
            left, offset = left[written:], offset + written
    except OSError as error:
        raise _unwritable(error) from error


def copy(chunks: Iterable[bytes], target: pathlib.Path) -> tuple[str, int]:
    """Write `chunks` to a new file. Returns their sha256 and their number of bytes.

    The hash is of what was written here, not of a second read of the source: nothing can change
    between the check and the use.
    """
    digest, size, descriptor = hashlib.sha256(), 0, create(target)
    try:
        for chunk in chunks:
            digest.update(chunk)
            write(descriptor, chunk, size)
            size += len(chunk)
    finally:
        os.close(descriptor)
    return digest.hexdigest(), size


def digest(path: pathlib.Path) -> str:
    """The sha256 of a file of ours, in hex. Raises OSError."""
    sha256, buffer = hashlib.sha256(), memoryview(bytearray(_BUFFER_BYTES))
    with path.open("rb", buffering=0) as file:
        while read := file.readinto(buffer):
            sha256.update(buffer[:read])
    return sha256.hexdigest()


def free_bytes(directory: pathlib.Path) -> int:
    """What this user may still write there, less a little: a full file system fails others too."""
    try:
        facts = os.statvfs(directory)
    except OSError as error:
        raise _unwritable(error) from error
    return facts.f_bavail * facts.f_frsize - _SPARE_BYTES


def require(directory: pathlib.Path, size: int) -> None:
    """Raises StartupError when a file of this size does not fit beside what lies there already."""
    free = free_bytes(directory)
    if size > free:
        sizes = f"{size >> 20} MiB are to be written, and {max(0, free) >> 20} MiB are free there"
        raise _failure(Reason.DISK_FULL, sizes)


def _unwritable(error: OSError) -> StartupError:
    reason = Reason.DISK_FULL if error.errno in _FULL else Reason.CONFIGURATION_INVALID
    return _failure(reason, f"the bundle cannot be written there: {error.strerror}")


def _failure(reason: Reason, what: str) -> StartupError:
    return StartupError(reason, f"SLIPWAY_CACHE_DIR: {what}", subject="SLIPWAY_CACHE_DIR")
