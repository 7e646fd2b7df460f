"""`slipway-runtime resolve`: what a source leads to now, said once and frozen by whoever asked.

It reads the same environment as a runtime that serves, checks all that can be checked before a large file
is read, and puts its answer where a runtime puts its last words. Loads no model, nor what models run on.
"""

import contextlib
import json
import os
import pathlib
import time
from dataclasses import asdict, dataclass

import structlog

from slipway_runtime import credentials, source_settings
from slipway_runtime.artifacts import bundle, cache, sources
from slipway_runtime.artifacts.source import Source
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.source_settings import SourceSettings
from slipway_runtime.telemetry import logs, termination

_log = structlog.get_logger("slipway.resolution")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The answer. `uri` can be given to a runtime in the source's place, and means the same at any time.

    `digest` is what SLIPWAY_BUNDLE_SHA256 takes, "" where the source has nothing to pin it by. `etag` and
    `version_id` are the storage's names for its slipway.yaml, `registered` is the version that an MLflow
    model or alias stood for; each "" without one. `size` is in bytes, of all `files` together.
    """

    uri: str
    digest: str
    etag: str
    version_id: str
    registered: str
    size: int
    files: int

    def document(self) -> bytes:
        """One JSON object; what is "" is left out."""
        values = asdict(self)
        values["versionId"] = values.pop("version_id")
        return json.dumps({name: value for name, value in values.items() if value != ""}).encode()


def run() -> int:
    """Resolve what the environment names. Returns the exit code of the process."""
    logs.configure("INFO")
    path = pathlib.Path(os.environ.get("SLIPWAY_TERMINATION_MESSAGE_PATH") or termination.DEFAULT_PATH)
    try:
        credentials.tidy(os.environ)
        resolved = resolve(source_settings.read(SourceSettings))
    except StartupError as failure:
        _log.error("cannot_resolve", reason=failure.reason, detail=failure.message, object=failure.subject)
        with contextlib.suppress(OSError):  # the log has it too
            termination.write(failure, path)
        return 1
    except Exception as error:
        _log.exception("crashed")
        with contextlib.suppress(OSError):
            termination.write(_unexpected(error), path)
        return 1
    _log.info("resolved", **asdict(resolved))
    termination.leave(resolved.document(), path)
    return 0


def resolve(settings: SourceSettings) -> Resolved:
    """What the source is at this moment. Blocks. Raises StartupError, for the reasons of a start."""
    location = settings.location()
    source = sources.at(location, deadline=time.monotonic() + settings.download_timeout_seconds)
    with cache.private_directory(settings.cache_dir) as directory:
        return _told(source, bundle.survey(source, directory, pin=settings.bundle_sha256))


def _told(source: Source, found: bundle.Survey) -> Resolved:
    origin = source.origin()
    # What only an MLflow server can read is asked for by its version: that never leads elsewhere.
    readable = origin.resolved.startswith(("s3://", "file://"))
    return Resolved(
        uri=origin.resolved if readable else origin.registered,
        digest=found.digest or "",
        etag=found.manifest.etag.strip('"') if found.manifest else "",
        version_id=next((file.version for file in origin.files if file.name == bundle.MANIFEST), ""),
        registered=origin.registered,
        size=sum(item.size for item in found.items),
        files=len(found.items),
    )


def _unexpected(error: Exception) -> StartupError:
    """Worth another try: nothing is known of the bundle."""
    message = f"an error that nobody foresaw: {error!r}; the log has its traceback"
    return StartupError(Reason.SOURCE_UNAVAILABLE, message, subject=type(error).__name__)
