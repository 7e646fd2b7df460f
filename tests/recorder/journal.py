"""The recording's file: one JSON object a line, and what is kept of a Kubernetes object.

Shared by the writer (watch) and the reader (history). Must not know either.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]


class Line(StrEnum):
    """What a line says."""

    LISTED = "LISTED"  # the object was there when its kind was listed
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    SYNCED = "SYNCED"  # the kind has been listed, as of this position
    GAP = "GAP"  # what happened to the kind after this position is not known
    ENDED = "ENDED"  # nothing of the kind is missing up to this position


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `position` is the resourceVersion at which it became true."""

    at: datetime
    kind: str
    type: Line
    position: int
    object: JsonObject | None = None
    reason: str = ""

    def text(self) -> str:
        body: JsonObject = {
            "at": self.at.isoformat(timespec="microseconds"),
            "kind": self.kind,
            "type": self.type,
            "position": self.position,
        }
        if self.object is not None:
            body["object"] = self.object
        if self.reason:
            body["reason"] = self.reason
        return json.dumps(body, separators=(",", ":"))


class Journal:
    """Appends entries to a file; safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, entry: Entry) -> None:
        with self._lock:
            self._file.write(entry.text() + "\n")
            self._file.flush()

    def close(self) -> None:
        with self._lock:
            self._file.close()


def read(path: Path) -> Iterator[Entry]:
    """The entries in the order in which they were written; a line that was cut off ends them."""
    with path.open(encoding="utf-8") as file:
        for text in file:
            if not text.endswith("\n"):
                return
            yield _entry(json.loads(text))


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def trim(kind: str, item: JsonObject) -> JsonObject:
    """The object without the bulk of managedFields.

    Who wrote and when stays, with a digest of the fields in place of them; Services keep the fields
    themselves, for the question who owns the selector.
    """
    metadata = dict(item.get("metadata") or {})
    if kind != "Service" and "managedFields" in metadata:
        metadata["managedFields"] = [_without_fields(entry) for entry in metadata["managedFields"]]
    return {**item, "metadata": metadata}


def _without_fields(entry: JsonObject) -> JsonObject:
    fields = json.dumps(entry.get("fieldsV1"), sort_keys=True).encode()
    kept = {key: value for key, value in entry.items() if key != "fieldsV1"}
    return {**kept, "fieldsDigest": hashlib.sha256(fields).hexdigest()[:12]}


def _entry(body: JsonObject) -> Entry:
    return Entry(
        at=datetime.fromisoformat(body["at"]),
        kind=body["kind"],
        type=Line(body["type"]),
        position=body["position"],
        object=body.get("object"),
        reason=body.get("reason", ""),
    )
