"""Typed views of the recorded objects: only what the promises speak of.

The raw JSON ends here. Must not know about time or order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.recorder import metadata
from tests.recorder.metadata import Meta

JsonObject = dict[str, Any]
ATTEMPT = "slipway.dev/attempt-started-at"
PROMOTED = "slipway.dev/promoted-at"
REJECTED = "slipway.dev/rejected"
RESOLVES = "slipway.dev/resolves"
SWITCH = "slipway.dev/switch"


@dataclass(frozen=True, slots=True)
class Other:
    """An object of which only the metadata matters here."""

    meta: Meta


@dataclass(frozen=True, slots=True)
class Service:
    meta: Meta
    selector: Mapping[str, str]

    @property
    def selected_revision(self) -> str | None:
        return self.selector.get(metadata.REVISION_LABEL)

    @property
    def selected_model(self) -> str | None:
        return self.selector.get(metadata.MODEL_LABEL)


@dataclass(frozen=True, slots=True)
class Deployment:
    meta: Meta
    replicas: int
    template: str  # a digest of spec.template

    @property
    def attempt(self) -> str | None:
        return self.meta.annotations.get(ATTEMPT)

    @property
    def rejected(self) -> bool:
        return REJECTED in self.meta.annotations

    @property
    def rejected_token(self) -> str | None:
        """The retry token that the verdict was given for, if it says."""
        try:
            verdict = json.loads(self.meta.annotations.get(REJECTED, "{}"))
            return str(verdict["retryToken"])
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Resolver:
    """A pod that finds out what a model's source leads to, and the reason that it ended with, if any."""

    meta: Meta
    of: str
    reason: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    pod: str  # its uid
    ready: bool


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    meta: Meta
    service: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    status: str
    reason: str
    generation: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """The operator's word."""

    generation: int | None
    active_version: str
    active_revision: str
    target_version: str
    target_revision: str
    ready_replicas: int | None
    step: str
    conditions: Mapping[str, Condition]


@dataclass(frozen=True, slots=True)
class Model:
    meta: Meta
    version: str
    replicas: int
    strategy: str
    max_unavailable: int
    allow_downtime: bool
    bake_seconds: int
    retry_token: str
    spec: str  # canonical JSON
    status: Status


Object = Model | Service | Deployment | EndpointSlice | Resolver | Other


def parse(kind: str, item: JsonObject) -> Object:
    """The view of one recorded object."""
    meta = metadata.parse(kind, item)
    spec = item.get("spec") or {}
    match kind:
        case "InferenceModel":
            return _model(meta, spec, item.get("status") or {})
        case "Service":
            return Service(meta, spec.get("selector") or {})
        case "Deployment":
            return Deployment(meta, int(spec.get("replicas", 1)), metadata.digest(spec.get("template")))
        case "EndpointSlice":
            return _slice(meta, item)
        case "Pod" if RESOLVES in meta.labels:
            return Resolver(meta, meta.labels[RESOLVES], _reason(item.get("status") or {}))
        case _:
            return Other(meta)


def _model(meta: Meta, spec: JsonObject, status: JsonObject) -> Model:
    rollout = spec.get("rollout") or {}
    return Model(
        meta=meta,
        version=spec.get("version", ""),
        replicas=int(spec.get("replicas", 1)),
        strategy=rollout.get("strategy", "BlueGreen"),
        max_unavailable=int(rollout.get("maxUnavailable", 0)),
        allow_downtime=bool(rollout.get("allowDowntime", False)),
        bake_seconds=int(rollout.get("bakeSeconds", 0)),
        retry_token=rollout.get("retryToken", ""),
        spec=json.dumps(spec, sort_keys=True),
        status=_status(status),
    )


def _status(status: JsonObject) -> Status:
    return Status(
        generation=status.get("observedGeneration"),
        active_version=status.get("activeVersion", ""),
        active_revision=status.get("activeRevision", ""),
        target_version=status.get("targetVersion", ""),
        target_revision=status.get("targetRevision", ""),
        ready_replicas=status.get("readyReplicas"),
        step=(status.get("rollout") or {}).get("step", ""),
        conditions={entry["type"]: _condition(entry) for entry in status.get("conditions") or []},
    )


def _condition(entry: JsonObject) -> Condition:
    return Condition(entry["status"], entry.get("reason", ""), entry.get("observedGeneration"))


def _reason(status: JsonObject) -> str:
    """The word in the last message of its container."""
    for container in status.get("containerStatuses") or []:
        ended = container.get("state", {}).get("terminated") or {}
        try:
            return str(json.loads(ended.get("message", ""))["reason"])
        except (ValueError, KeyError, TypeError):
            continue
    return ""


def _slice(meta: Meta, item: JsonObject) -> EndpointSlice:
    endpoints = item.get("endpoints") or []
    service = meta.labels.get("kubernetes.io/service-name", "")
    return EndpointSlice(meta, service, tuple(_endpoint(entry) for entry in endpoints))


def _endpoint(entry: JsonObject) -> Endpoint:
    ready = (entry.get("conditions") or {}).get("ready")
    target = entry.get("targetRef") or {}
    # A slice may leave `ready` out, which the API defines to mean yes; one without a pod counts by address.
    return Endpoint(target.get("uid") or ",".join(entry.get("addresses") or []), ready is not False)
