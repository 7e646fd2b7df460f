"""GET /health: what this pod serves, what it is asked to serve and cannot, and why. From memory alone."""

import dataclasses

import pydantic

from slipway_runtime.artifacts.origin import Origin
from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog, Entry, State


class FileHealth(pydantic.BaseModel):
    """One file of a bundle. `etag` and `version` are the storage's own names for what was read."""

    name: str
    size: int
    sha256: str
    etag: str
    version: str


class OriginHealth(pydantic.BaseModel):
    """Where the bytes of a version came from: `resolved` is the folder that its source meant."""

    resolved: str
    registered: str = pydantic.Field(description="the registered version that an alias stood for")
    cached: int = pydantic.Field(description="how many of the files came from this pod's cache")
    away: bool = pydantic.Field(description="whether the source did not answer, and the cache was served")
    files: list[FileHealth]


class VersionHealth(pydantic.BaseModel):
    """One version: READY, LOADING, UNLOADING, or UNAVAILABLE with the reason why."""

    name: str
    version: str
    state: State
    latest: bool
    reason: str
    digest: str
    source: str
    provider: str
    batching: str = pydantic.Field("", description="which rows may run together: any, same length, or none")
    since: str
    origin: OriginHealth | None


class Health(pydantic.BaseModel):
    """Whether this pod serves, and what. `versions` are those of the model of requests that name none."""

    status: str
    model_loaded: bool
    phase: str
    model: str
    versions: list[str]
    provider: str = ""
    models: list[VersionHealth] = []
    models_file: str = pydantic.Field("", description="what is wrong with the models file")

    model_config = pydantic.ConfigDict(protected_namespaces=())


def describe(catalog: Catalog, lifecycle: Lifecycle) -> Health:
    """`model_loaded` is the truth about the default model: it was verified, and answers."""
    models = [_version(entry, catalog) for entry in catalog.index()]
    serving = [one for one in models if one.name == catalog.default and one.latest]
    return Health(
        status="ok" if lifecycle.ready else "loading",
        model_loaded=catalog.ready,
        phase=lifecycle.phase,
        model=catalog.default,
        versions=catalog.versions(),
        provider=serving[0].provider if serving else "",
        models=models,
        models_file=catalog.complaint,
    )


def _version(entry: Entry, catalog: Catalog) -> VersionHealth:
    latest = entry.state is State.READY and catalog.latest(entry.name) == entry.version
    return VersionHealth(
        name=entry.name,
        version=entry.version,
        state=entry.state,
        latest=latest,
        reason=entry.reason,
        digest=entry.digest,
        source=entry.source,
        provider=entry.provider,
        batching=entry.batching,
        since=entry.since,
        origin=None if entry.origin is None else _origin(entry.origin),
    )


def _origin(origin: Origin) -> OriginHealth:
    return OriginHealth(
        resolved=origin.resolved,
        registered=origin.registered,
        cached=origin.cached,
        away=origin.away,
        files=[FileHealth(**dataclasses.asdict(file)) for file in origin.files],
    )
