"""One file fetched in parts side by side, and hashed while they arrive.

Each part is written to where it belongs. The caller's thread follows the beginning that is
complete and hashes it out of the page cache, so the digest is of what lies on the disk, and is
known as soon as the last byte is. A part that breaks off goes on where it stopped, and so does one
whose connection is one too many. Knows no S3: `open_range` does.
"""

import collections
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from slipway_runtime.artifacts import disk
from slipway_runtime.artifacts.deadline import Deadline, DeadlineExceededError
from slipway_runtime.artifacts.width import Width

CHUNK_BYTES = 1 << 20  # read and written at once
_HASHED_BYTES = 1 << 18  # at once: the processor's own cache has room for them
_STEP_BYTES = 4 << 20  # waited for: waking up for every chunk costs more than the hash
# A request costs milliseconds, so parts grow; the first is small, so that a second connection finds work.
_FIRST_PART_BYTES, _LARGEST_PART_BYTES = 16 << 20, 64 << 20
_UNDER_WAY_BYTES = 128 << 20  # all parts together, so that the hash is never far behind
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


class _OneTooManyError(Exception):
    """There are more connections than pay, and this is one of them."""


@dataclass(slots=True, eq=False)
class _Part:
    position: int
    end: int


class Download:
    """One file on its way. Used once."""

    def __init__(self, open_range: Open, *, size: int, limits: Limits) -> None:
        self._open = open_range
        self._size = size
        self._limits = limits
        self._width = Width(limits.connections)
        self._parts: collections.deque[_Part] = collections.deque()  # begun and not complete, by position
        self._left: list[_Part] = []  # of these, the ones that no connection works on
        self._begun = 0  # up to here everything is in a part, or complete
        self._part_bytes = _FIRST_PART_BYTES  # of the next one, where nothing speaks against it
        self._workers = 0
        self._numbers = 0  # of all workers that there ever were
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._awaited = 0

    def into(self, descriptor: int) -> str:
        """Fill an empty file. Returns its sha256 in hex.

        Raises DeadlineExceededError, CutShortError, StartupError (the disk) and what `open_range` raises.
        """
        with self._changed:
            self._widen(descriptor)
        try:
            return self._hash(descriptor)
        finally:
            self._stop.set()  # a worker inside a read ends with it, and closes a descriptor of its own

    def _hash(self, descriptor: int) -> str:
        digest, buffer = hashlib.sha256(), memoryview(bytearray(_HASHED_BYTES))
        offset = 0
        while offset < self._size:
            until = min(offset + _STEP_BYTES, self._size)
            self._wait_for(until)
            while offset < until:
                read = os.preadv(descriptor, [buffer[: until - offset]], offset)
                digest.update(buffer[:read])
                offset += read
        return digest.hexdigest()

    def _wait_for(self, position: int) -> None:
        with self._changed:
            self._awaited = position
            while self._complete() < position:
                if self._failure is not None:
                    raise self._failure
                if not self._changed.wait(self._limits.deadline.left()):
                    raise DeadlineExceededError

    def _complete(self) -> int:
        """Up to where nothing is missing."""
        while self._parts and self._parts[0].position == self._parts[0].end:
            self._parts.popleft()
        return self._parts[0].position if self._parts else self._begun

    # -- the connections; what changes their number or their parts holds the condition --

    def _widen(self, descriptor: int) -> None:
        while self._workers < self._width.connections and (self._left or self._begun < self._size):
            self._workers += 1
            self._numbers += 1
            own = os.dup(descriptor)
            threading.Thread(
                target=self._work, args=(own, self._numbers), name="fetch-part", daemon=True
            ).start()

    def _work(self, descriptor: int, number: int) -> None:
        try:
            while (part := self._take()) is not None:
                self._fetch(part, descriptor, number)
        except _OneTooManyError:
            pass
        except BaseException as error:
            self._fail(error)
        finally:
            os.close(descriptor)

    def _take(self) -> _Part | None:
        """What to fetch next, the earliest first; None, and one worker fewer, when there is nothing."""
        with self._changed:
            if not self._stop.is_set() and self._workers <= self._width.connections:
                if self._left:
                    first = min(self._left, key=lambda part: part.position)
                    self._left.remove(first)
                    return first
                if self._begun < self._size:
                    return self._begin()
            self._workers -= 1
            return None

    def _begin(self) -> _Part:
        size = min(self._part_bytes, _UNDER_WAY_BYTES // self._width.connections)
        self._part_bytes = min(2 * self._part_bytes, _LARGEST_PART_BYTES)
        part = _Part(position=self._begun, end=min(self._begun + size, self._size))
        self._parts.append(part)
        self._begun = part.end
        return part

    def _fetch(self, part: _Part, descriptor: int, number: int) -> None:
        """Tries count only while they bring nothing: a connection that breaks often still gets there."""
        failures = 0
        while not self._stop.is_set():
            before = part.position
            error = self._try(part, descriptor, number)
            if part.position == part.end:
                return
            failures = 1 if part.position > before else failures + 1
            if failures == self._limits.attempts:
                raise error or CutShortError
            self._stop.wait(min(_FIRST_PAUSE_SECONDS * 2 ** (failures - 1), self._limits.deadline.left()))

    def _try(self, part: _Part, descriptor: int, number: int) -> Exception | None:
        try:
            for chunk in self._open(part.position, part.end):
                if self._stop.is_set():
                    return None
                fitting = chunk[: part.end - part.position]
                disk.write(descriptor, fitting, part.position)
                self._advance(part, len(fitting), descriptor, number)
        except self._limits.broken as error:
            return error
        return None

    def _advance(self, part: _Part, count: int, descriptor: int, number: int) -> None:
        """So much more of a part is on the disk. Raises _OneTooManyError: the rest is for the others."""
        with self._changed:
            part.position += count
            if self._complete() >= self._awaited:
                self._changed.notify()
            self._width.arrived(number, count, time.monotonic(), computed=time.process_time())
            self._widen(descriptor)
            if self._workers > self._width.connections and part.position < part.end:
                self._workers -= 1
                self._left.append(part)
                raise _OneTooManyError

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify()
        self._stop.set()
