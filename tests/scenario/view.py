"""The cluster as it is now, read from the recording as it grows: tests wait on it without asking anybody.

Must not know what is waited for.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.recorder.journal import Line
from tests.recorder.metadata import Key

JsonObject = dict[str, Any]
_PAUSE = 0.05
_STATES = frozenset({Line.LISTED, Line.ADDED, Line.MODIFIED, Line.DELETED})


class View:
    """The recorded objects. Only `until`, `refresh` and `positions` move it on."""

    def __init__(self, recording: Path) -> None:
        self._recording = recording
        self._offset = 0
        self._objects: dict[Key, JsonObject] = {}

    def find(self, kind: str, namespace: str, name: str) -> JsonObject | None:
        return self._objects.get(Key(kind, namespace, name))

    def of(self, kind: str, labels: Mapping[str, str]) -> list[JsonObject]:
        """All of a kind that bear these labels."""
        return [
            item
            for key, item in self._objects.items()
            if key.kind == kind and labels.items() <= (item["metadata"].get("labels") or {}).items()
        ]

    def positions(self) -> dict[Key, str]:
        """The resourceVersion of each object, as of now."""
        self.refresh()
        return {key: item["metadata"]["resourceVersion"] for key, item in self._objects.items()}

    def refresh(self) -> None:
        """Take in all that has been recorded."""
        for _ in self._news():
            pass

    def until(self, condition: Callable[[], bool], *, what: str, timeout: float) -> None:
        """Return at the first recorded state in which the condition holds, however short it lasted.

        Raises AssertionError after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if any(condition() for _ in self._news()):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {timeout:g} s")
            time.sleep(_PAUSE)

    def _news(self) -> Iterator[None]:
        with self._recording.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                self._take(json.loads(line))
                yield

    def _take(self, entry: JsonObject) -> None:
        if entry["type"] not in _STATES:
            return
        item = entry["object"]
        key = Key(entry["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
        if entry["type"] == Line.DELETED:
            self._objects.pop(key, None)
        else:
            self._objects[key] = item
