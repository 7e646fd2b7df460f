"""A bundle brought here: from its location, through the cache, to a verified folder.

What whoever loads models calls. Blocks: use it in a thread.
"""

import pathlib
import time
from dataclasses import dataclass

import structlog

from slipway_runtime.artifacts import bundle, sources
from slipway_runtime.artifacts.cached import Cached
from slipway_runtime.artifacts.location import FolderLocation, Location
from slipway_runtime.artifacts.origin import Origin
from slipway_runtime.artifacts.store import Store

_STORE = "store"

_log = structlog.get_logger("slipway.artifacts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A bundle that is wanted. `pin` is the digest it must have, `timeout` is in seconds."""

    location: Location
    pin: str | None
    timeout: float
    cache_dir: pathlib.Path
    cache_max_bytes: int  # 0: nothing is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """A verified bundle and where its bytes came from."""

    bundle: bundle.Bundle
    origin: Origin


def retrieve(request: Request, directory: pathlib.Path) -> Retrieved:
    """Copy the bundle into the empty `directory` (of cache_dir) and check every byte. Raises StartupError."""
    deadline = time.monotonic() + request.timeout
    if isinstance(request.location, FolderLocation) or not request.cache_max_bytes:
        source = sources.at(request.location, deadline=deadline)
        fetched = bundle.fetch(source, directory, pin=request.pin)
        return _told(fetched, source.origin())
    cached = Cached(
        str(request.location),
        lambda: sources.at(request.location, deadline=deadline),
        Store(request.cache_dir / _STORE, max_bytes=request.cache_max_bytes),
        pin=request.pin,
    )
    fetched = bundle.fetch(cached, directory, pin=request.pin)
    cached.verified(fetched.digest)
    return _told(fetched, cached.origin())


def _told(fetched: bundle.Bundle, origin: Origin) -> Retrieved:
    _log.info(
        "bundle_retrieved",
        source=origin.uri,
        resolved=origin.resolved,
        digest=fetched.digest,
        files={file.name: _names(file.sha256, file.etag, file.version) for file in origin.files},
        from_cache=origin.cached,
        source_away=origin.away,
    )
    return Retrieved(bundle=fetched, origin=origin)


def _names(sha256: str, etag: str, version: str) -> dict[str, str]:
    names = {"sha256": sha256, "etag": etag.strip('"'), "version": version}
    return {name: value for name, value in names.items() if value}
