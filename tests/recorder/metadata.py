"""Whose an object is, what it says of itself, and who has written to it: what every object has.

Must not know what kinds there are.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]
MODEL_LABEL = "slipway.dev/model"
REVISION_LABEL = "slipway.dev/revision"
VERSION_LABEL = "slipway.dev/version"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which object: kind, namespace, name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Place:
    """A model, by its namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Mark:
    """One entry of managedFields: who wrote, how, when (whole seconds), and a digest of the fields."""

    manager: str
    operation: str
    subresource: str
    time: str
    fields: str
    owns_selector: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller's ownerReference."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Meta:
    """What every object has."""

    key: Key
    uid: str
    generation: int
    deleting: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owner: Owner | None
    marks: frozenset[Mark]

    @property
    def model(self) -> str | None:
        """The model that it says it belongs to."""
        return self.labels.get(MODEL_LABEL)

    @property
    def revision(self) -> str | None:
        return self.labels.get(REVISION_LABEL)

    @property
    def version(self) -> str | None:
        return self.labels.get(VERSION_LABEL)


def parse(kind: str, item: JsonObject) -> Meta:
    """The metadata of one recorded object."""
    told = item["metadata"]
    return Meta(
        key=Key(kind, told.get("namespace", ""), told["name"]),
        uid=told.get("uid", ""),
        generation=int(told.get("generation", 0)),
        deleting="deletionTimestamp" in told,
        labels=told.get("labels") or {},
        annotations=told.get("annotations") or {},
        owner=_owner(told.get("ownerReferences") or []),
        marks=frozenset(_mark(entry) for entry in told.get("managedFields") or []),
    )


def digest(value: Any) -> str:
    """The same for equal JSON, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _owner(references: list[JsonObject]) -> Owner | None:
    for reference in references:
        if reference.get("controller"):
            return Owner(reference["kind"], reference["name"], reference["uid"])
    return None


def _mark(entry: JsonObject) -> Mark:
    fields = entry.get("fieldsV1") or {}
    return Mark(
        manager=entry.get("manager", ""),
        operation=entry.get("operation", ""),
        subresource=entry.get("subresource", ""),
        time=entry.get("time", ""),
        fields=entry.get("fieldsDigest") or digest(fields),
        owns_selector="f:selector" in (fields.get("f:spec") or {}),
    )
