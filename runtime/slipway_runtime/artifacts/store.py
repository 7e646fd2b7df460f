"""Files that were verified once, kept by their sha256 for the next start, and the listings they came from.

A file enters under its name complete (a hard link to a verified one) and is never written again, so any
number of processes can share the folder. Nothing read here is trusted: size and sha256 are checked each
time, and what is broken is thrown away. Knows no source.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from slipway_runtime.artifacts import disk
from slipway_runtime.artifacts.origin import Fetched
from slipway_runtime.failures import StartupError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_LISTINGS = 100
_MAX_LISTING_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a URI held when it was last verified. `digest` is the bundle's, "" without one."""

    resolved: str
    digest: str
    files: tuple[Fetched, ...]


class Store:
    """A folder of at most `max_bytes`; the file that was used longest ago leaves first."""

    def __init__(self, root: pathlib.Path, *, max_bytes: int) -> None:
        self._files = root / "files"
        self._listings = root / "listings"
        self._lock = root / ".lock"
        self._max_bytes = max_bytes

    def holds(self, sha256: str, size: int) -> bool:
        """Whether a file of that name and size is there; its bytes are checked when it is taken."""
        try:
            facts = self._path(sha256).lstat()
        except (OSError, ValueError):
            return False
        return stat.S_ISREG(facts.st_mode) and facts.st_size == size

    def take(self, sha256: str, size: int, target: pathlib.Path) -> bool:
        """Link the file to `target` when it is there and whole. A broken one is removed."""
        if not self.holds(sha256, size):
            return False
        path = self._path(sha256)
        try:
            os.link(path, target, follow_symlinks=False)
            if disk.digest(target) == sha256:
                os.utime(path)  # it was used
                return True
        except OSError:  # emptied by somebody meanwhile, or a file system without links
            return False
        for broken in (target, path):
            broken.unlink(missing_ok=True)
        return False

    def add(self, path: pathlib.Path, sha256: str) -> None:
        """Keep a file that was verified. A store that cannot is no failure: the next start downloads."""
        with contextlib.suppress(OSError):
            if path.stat().st_size > self._max_bytes:
                return
            self._files.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.link(path, self._path(sha256), follow_symlinks=False)
            self._shrink(self._max_bytes)

    def make_room(self, size: int) -> None:
        """Throw away what was used longest ago until the disk takes a file of `size`, if that helps."""
        with contextlib.suppress(OSError, StartupError):
            lacking = size - disk.free_bytes(self._files)
            if lacking > 0:
                self._shrink(max(0, sum(map(_size, self._files.iterdir())) - lacking))

    def remember(self, uri: str, listing: Listing) -> None:
        """Note what `uri` held, for the time when it cannot be asked."""
        with contextlib.suppress(OSError):
            self._listings.mkdir(parents=True, exist_ok=True)
            path = self._listing(uri)
            draft = path.with_suffix(f".{os.getpid()}-{id(listing)}")
            draft.write_text(json.dumps({"uri": uri, **dataclasses.asdict(listing)}))
            draft.replace(path)
            for old in _oldest_first(self._listings)[:-_MAX_LISTINGS]:
                old.unlink(missing_ok=True)

    def recall(self, uri: str) -> Listing | None:
        """What `uri` held when it was last seen, if that is known and every file of it is here."""
        try:
            with self._listing(uri).open("rb") as file:
                listing = _parse(file.read(_MAX_LISTING_BYTES), uri)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return listing if all(self.holds(file.sha256, file.size) for file in listing.files) else None

    def _path(self, sha256: str) -> pathlib.Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no sha256")
        return self._files / sha256

    def _listing(self, uri: str) -> pathlib.Path:
        return self._listings / f"{hashlib.sha256(uri.encode()).hexdigest()}.json"

    def _shrink(self, max_bytes: int) -> None:
        with self._alone():
            files = _oldest_first(self._files)
            sizes = {path: _size(path) for path in files}
            total = sum(sizes.values())
            for path in files:
                if total <= max_bytes:
                    return
                path.unlink(missing_ok=True)
                total -= sizes[path]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two processes that shrink at once would throw away twice as much."""
        with self._lock.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _parse(text: bytes, uri: str) -> Listing:
    document = json.loads(text)
    if document["uri"] != uri:
        raise ValueError("a listing of something else")
    files = tuple(Fetched(**file) for file in document["files"])
    return Listing(resolved=document["resolved"], digest=document["digest"], files=files)


def _oldest_first(directory: pathlib.Path) -> list[pathlib.Path]:
    return sorted(directory.iterdir(), key=_used)


def _used(path: pathlib.Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime_ns
    return 0


def _size(path: pathlib.Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
