"""A bundle in a folder of this machine: for trying things by hand, and for mounted volumes.

Its files are copied like an object's, so that what was verified cannot change under the model.
"""

import os
import pathlib
import stat
from collections.abc import Iterator

from slipway_runtime.artifacts import disk, housekeeping, source
from slipway_runtime.artifacts.origin import Fetched, Origin
from slipway_runtime.failures import Reason, StartupError

_CHUNK_BYTES = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe that has just taken a file's place is no wait


class Folder:
    """A Source over a local folder. Only regular files with one link: a link may lead outside."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._fetched: list[Fetched] = []

    def describe(self, name: str = "") -> str:
        return (self._path / name).as_uri() if name else self._path.as_uri()

    def items(self) -> list[source.Item]:
        try:
            entries = sorted(os.scandir(self._path), key=lambda entry: entry.name)
        except OSError as error:
            raise self._unreadable(error, "") from error
        return housekeeping.without([self._item(entry) for entry in entries])

    def save(self, item: source.Item, target: pathlib.Path) -> str:
        disk.require(target.parent, item.size)
        try:
            with os.fdopen(os.open(self._path / item.name, _FLAGS), "rb") as file:
                self._check(os.fstat(file.fileno()), item.name)
                digest, size = disk.copy(_chunks(file.fileno()), target)
        except OSError as error:
            raise self._unreadable(error, item.name) from error
        if size != item.size:
            what = f"it had {item.size} bytes, and {size} when it was read: somebody writes to it"
            raise self._failure(Reason.SOURCE_UNAVAILABLE, item.name, what)
        self._fetched.append(Fetched(name=item.name, size=size, sha256=digest))
        return digest

    def origin(self) -> Origin:
        return Origin(uri=self.describe(), resolved=self.describe(), files=tuple(self._fetched))

    def _item(self, entry: os.DirEntry[str]) -> source.Item:
        facts = entry.stat(follow_symlinks=False)
        self._check(facts, entry.name)
        return source.Item(name=entry.name, size=facts.st_size)

    def _check(self, facts: os.stat_result, name: str) -> None:
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            what = "it is not a regular file with one link: a bundle is a flat folder of plain files"
            raise self._failure(Reason.BUNDLE_INVALID, name, what)

    def _failure(self, reason: Reason, name: str, what: str) -> StartupError:
        subject = self.describe(name)
        return StartupError(reason, f"{subject}: {what}", subject=subject)

    def _unreadable(self, error: OSError, name: str) -> StartupError:
        subject = self.describe(name)
        match error:
            case FileNotFoundError() | NotADirectoryError():
                return StartupError(Reason.SOURCE_NOT_FOUND, f"there is no {subject}", subject=subject)
            case PermissionError():
                return StartupError(
                    Reason.SOURCE_FORBIDDEN, f"{subject} may not be read by this user", subject=subject
                )
        return StartupError(Reason.SOURCE_UNAVAILABLE, f"{subject}: {error.strerror}", subject=subject)


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        yield chunk
