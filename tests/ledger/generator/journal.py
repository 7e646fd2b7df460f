"""The file of records: append-only JSON lines, each handed to the operating system before the call returns.

Write-ahead: an `intent` before a request is sent, its `outcome` after. A process killed at any moment so
leaves behind what was in flight. The first line is a `start`, the last an `end` with each client's own count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

_encode = json.JSONEncoder(separators=(",", ":")).encode


class JournalError(Exception):
    """A record could not be written: from here on the run proves nothing."""


class Journal:
    """One file, many writing threads: an append of one line is a single write."""

    def __init__(self, path: Path) -> None:
        """Create the file. Raises FileExistsError: the records of two processes must not mix."""
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)

    def append(self, kind: str, record: Mapping[str, object]) -> None:
        """Write one line of ASCII; it outlives this process, not the node."""
        line = _encode({"kind": kind, **record}).encode("ascii") + b"\n"
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror}") from error
        if written != len(line):
            raise JournalError(
                f"{self._path}: only {written} of {len(line)} bytes fitted; the volume is full"
            )

    def sync(self) -> None:
        """Bring everything to the disk."""
        os.fsync(self._file)

    def size(self) -> int:
        """Return the file's length in bytes."""
        return os.fstat(self._file).st_size

    def read(self, offset: int, limit: int) -> bytes:
        """Return whole lines from `offset`, at most `limit` bytes of them."""
        with self._path.open("rb") as file:
            file.seek(offset)
            chunk = file.read(limit)
        return chunk[: chunk.rfind(b"\n") + 1]
