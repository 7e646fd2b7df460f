"""What a place that holds bundles can do.

Knows neither S3 nor what a bundle is made of.
"""

import hashlib
import json
import pathlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from slipway_runtime.artifacts.origin import Origin


@dataclass(frozen=True, slots=True)
class Item:
    """One file as the source lists it. `name` is relative to the bundle's folder.

    `etag` is the storage's name for exactly these bytes, "" where it has none. `sha256` is what the
    caller knows the bytes must have: a hint for a cache, checked by the caller.
    """

    name: str
    size: int
    etag: str = ""
    sha256: str = ""


class Source(Protocol):
    """A folder that can be listed and copied from. Its calls block: use them in a thread."""

    def describe(self, name: str = "") -> str:
        """The URI of the folder, or of a file in it, for people."""

    def items(self) -> list[Item]:
        """Every file in the folder. Raises StartupError when there is none or it cannot be read."""

    def save(self, item: Item, target: pathlib.Path) -> str:
        """Copy one file to `target`, which must not exist. Returns the sha256 of what was written."""

    def origin(self) -> Origin:
        """What was read so far, and from where."""


def listing_digest(items: Iterable[Item]) -> str | None:
    """The sha256 over names, sizes and ETags: what pins a bundle that has no slipway.yaml.

    None when the source gives no ETags, since names and sizes pin nothing.
    """
    entries = sorted((item.name, item.size, item.etag.strip('"')) for item in items)
    if not entries or not all(etag for _, _, etag in entries):
        return None
    return hashlib.sha256(json.dumps(entries, separators=(",", ":")).encode()).hexdigest()
