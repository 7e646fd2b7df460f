"""One file fetched in parts side by side, and hashed while they arrive.

Each part is written to where it belongs. The caller's thread follows the beginning that is
complete and hashes it out of the page cache, so the digest is of what lies on the disk, and is
known as soon as the last byte is. A part that breaks off goes on where it stopped.
Knows no S3: `open_range` does.
"""

import collections
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from slipway_runtime.artifacts import disk
from slipway_runtime.artifacts.deadline import Deadline, DeadlineExceededError

CHUNK_BYTES = 1 << 18  # read, written and hashed while the processor's cache still has it
_PART_BYTES = 16 << 20
_STEP_BYTES = 2 << 20  # hashed at once: waking up for every chunk costs more than the hash
_FIRST_PAUSE_SECONDS = 0.2

Open = Callable[[int, int], Iterator[bytes]]
"""The bytes from one offset up to another, in chunks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How hard to try: connections at once, tries without a single new byte, and the end of all tries."""

    connections: int
    attempts: int
    deadline: Deadline
    broken: tuple[type[Exception], ...]  # what a connection that breaks off raises


class CutShortError(Exception):
    """The source ended a part before its end, again and again."""


@dataclass(slots=True)
class _Part:
    position: int
    end: int


class Download:
    """One file on its way. Used once."""

    def __init__(self, open_range: Open, *, size: int, limits: Limits) -> None:
        self._open = open_range
        self._limits = limits
        starts = range(0, size, _PART_BYTES)
        self._parts = [_Part(position=start, end=min(start + _PART_BYTES, size)) for start in starts]
        self._waiting = collections.deque(self._parts)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._awaited: tuple[_Part | None, int] = (None, 0)

    def into(self, descriptor: int) -> str:
        """Fill an empty file. Returns its sha256 in hex.

        Raises DeadlineExceededError, CutShortError, StartupError (the disk) and what `open_range` raises.
        """
        workers = [
            threading.Thread(target=self._work, args=(os.dup(descriptor),), name="fetch-part", daemon=True)
            for _ in self._parts[: self._limits.connections]
        ]
        for worker in workers:
            worker.start()
        try:
            return self._hash(descriptor)
        finally:
            self._stop.set()  # a worker inside a read ends with it, and closes a descriptor of its own

    def _hash(self, descriptor: int) -> str:
        digest, buffer = hashlib.sha256(), memoryview(bytearray(CHUNK_BYTES))
        offset = 0
        for part in self._parts:
            while offset < part.end:
                until = min(offset + _STEP_BYTES, part.end)
                self._wait_for(part, until)
                while offset < until:
                    read = os.preadv(descriptor, [buffer[: until - offset]], offset)
                    digest.update(buffer[:read])
                    offset += read
        return digest.hexdigest()

    def _wait_for(self, part: _Part, position: int) -> None:
        with self._changed:
            self._awaited = (part, position)
            while part.position < position:
                if self._failure is not None:
                    raise self._failure
                if not self._changed.wait(self._limits.deadline.left()):
                    raise DeadlineExceededError

    def _work(self, descriptor: int) -> None:
        try:
            while self._waiting and not self._stop.is_set():
                self._fetch(self._waiting.popleft(), descriptor)
        except IndexError:
            pass  # another worker took the last one
        except BaseException as error:
            self._fail(error)
        finally:
            os.close(descriptor)

    def _fetch(self, part: _Part, descriptor: int) -> None:
        """Tries count only while they bring nothing: a connection that breaks often still gets there."""
        failures = 0
        while not self._stop.is_set():
            before = part.position
            error = self._try(part, descriptor)
            if part.position == part.end:
                return
            failures = 1 if part.position > before else failures + 1
            if failures == self._limits.attempts:
                raise error or CutShortError
            self._stop.wait(min(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1), self._limits.deadline.left()))

    def _try(self, part: _Part, descriptor: int) -> Exception | None:
        try:
            for chunk in self._open(part.position, part.end):
                if self._stop.is_set():
                    return None
                fitting = chunk[: part.end - part.position]
                disk.write(descriptor, fitting, part.position)
                self._advance(part, len(fitting))
        except self._limits.broken as error:
            return error
        return None

    def _advance(self, part: _Part, count: int) -> None:
        with self._changed:
            part.position += count
            awaited, position = self._awaited
            if part is awaited and part.position >= position:
                self._changed.notify()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify()
        self._stop.set()
