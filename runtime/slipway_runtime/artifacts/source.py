"""What a place that holds bundles can do, and how its bytes reach a file of ours.

Knows neither S3 nor what a bundle is made of.
"""

import hashlib
import io
import os
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from slipway_runtime.failures import Reason, StartupError

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """One file as the source lists it. `name` is relative to the bundle's folder."""

    name: str
    size: int


class Source(Protocol):
    """A folder that can be listed and copied from. Both calls block: use them in a thread."""

    def describe(self, name: str = "") -> str:
        """The URI of the folder, or of a file in it, for people."""

    def items(self) -> list[Item]:
        """Every file in the folder. Raises StartupError when there is none or it cannot be read."""

    def save(self, item: Item, target: pathlib.Path) -> str:
        """Copy one file to `target`, which must not exist. Returns the sha256 of what was written."""


def write(chunks: Iterable[bytes], target: pathlib.Path) -> tuple[str, int]:
    """Write `chunks` to a new file. Returns their sha256 and their number of bytes.

    The hash is of what was written here, not of a second read of the source: nothing can change
    between the check and the use.
    """
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o600), "wb", buffering=0) as file:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            _write(file, chunk)
    return digest.hexdigest(), size


def _write(file: io.FileIO, chunk: bytes) -> None:
    try:
        left = memoryview(chunk)
        while left:
            left = left[file.write(left) :]
    except OSError as error:  # told apart from an error of the source, which is read in the same loop
        raise StartupError(
            Reason.CONFIGURATION_INVALID,
            f"SLIPWAY_CACHE_DIR: the bundle cannot be written there: {error.strerror}",
            subject="SLIPWAY_CACHE_DIR",
        ) from error
