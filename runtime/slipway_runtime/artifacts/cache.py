"""Private folders for downloads, and the sweeping of those that a killed process left behind.

A container that restarts keeps its emptyDir: without the sweep every crash would cost the disk of
one more model. Knows nothing of what is put into the folders.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from slipway_runtime.failures import Reason, StartupError

_PREFIX = "bundle-"
_LOCK = ".lock"


@contextlib.contextmanager
def private_directory(root: pathlib.Path) -> Iterator[pathlib.Path]:
    """A fresh folder under `root` that only this user can read, removed at the end.

    onnxruntime maps external data; on Linux a mapping outlives its file, so the folder can go
    as soon as the model is loaded.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        directory = pathlib.Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        lock = _lock(directory)
    except OSError as error:
        raise StartupError(
            Reason.CONFIGURATION_INVALID,
            f"SLIPWAY_CACHE_DIR: {root} cannot be written: {error.strerror}",
            subject="SLIPWAY_CACHE_DIR",
        ) from error
    try:
        files = directory / "files"
        files.mkdir(mode=0o700)
        yield files
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _lock(directory: pathlib.Path) -> int:
    """Held as long as the process lives, whatever ends it: that is how the sweep knows."""
    descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _sweep(root: pathlib.Path) -> None:
    for directory in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # in use, or swept by somebody else
            descriptor = os.open(directory / _LOCK, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(descriptor)
