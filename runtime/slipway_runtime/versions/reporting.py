"""What happens to versions, told to people: in the catalog's index, the log and the metrics.

Decides nothing. What it tells has no credential in it: the index is read by /health and by clients.
"""

import datetime
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import structlog

from slipway_runtime.scheduling.catalog import Catalog, Entry, Served, State
from slipway_runtime.telemetry import redaction
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.versions.loading import Loaded
from slipway_runtime.versions.plan import Failure
from slipway_runtime.versions.wanted import Wanted

_log = structlog.get_logger("slipway.versions")


class Report:
    """The words and figures of one process's versions."""

    def __init__(self, catalog: Catalog, metrics: Metrics) -> None:
        self._catalog = catalog
        self._metrics = metrics

    def served(self, one: Wanted, loaded: Loaded) -> Entry:
        """A version that has just been verified."""
        self._metrics.model_loads.labels("served").inc()
        facts = {"digest": loaded.digest, "provider": loaded.provider}
        _log.info("model_verified", model=one.name, version=one.version, **facts)
        return Entry(
            one.name,
            one.version,
            State.READY,
            source=str(one.location),
            since=_now(),
            origin=loaded.origin,
            batching=loaded.batching.value,
            **facts,
        )

    def switched(self, one: Wanted, before: Wanted) -> None:
        self._metrics.swaps.labels("done").inc()
        _log.info("switched", model=one.name, version=one.version, before=before.version)

    def failed(self, one: Wanted, failure: Failure, *, beside: bool) -> None:
        """`beside`: another version of the same model serves on."""
        self._metrics.model_loads.labels(failure.reason).inc()
        if beside:
            self._metrics.swaps.labels("failed").inc()
        facts = {"reason": failure.reason, "detail": failure.message, "attempts": failure.attempts}
        _log.error("load_failed", model=one.name, version=one.version, **facts)

    def unloaded(self, one: Wanted, *, anonymous_bytes: int, gone: bool) -> None:
        """`gone`: nothing refers to it any more, so its memory has been given back."""
        self._metrics.memory_after_unload.set(anonymous_bytes)
        facts = {"model": one.name, "version": one.version, "anonymous_mib": anonymous_bytes >> 20}
        _log.log(logging.INFO if gone else logging.WARNING, "unloaded", gone=gone, **facts)

    def file(self, complaint: str) -> None:
        """Why the models file changes nothing; "" when it was understood."""
        self._catalog.complaint = redaction.text(complaint)
        self._metrics.models_file_valid.set(0 if complaint else 1)
        if complaint:
            _log.error("models_file_refused", detail=complaint)
        else:
            _log.info("models_file_read")

    def situation(
        self,
        *,
        loaded: Mapping[Wanted, Served],
        kept: Collection[Wanted],
        missing: Iterable[tuple[Wanted, Failure | None]],
        progress: str,
    ) -> None:
        """All that is not an event. `progress` is what the version that is being loaded has come to."""
        for one, served in loaded.items():
            served.entry = replace(served.entry, reason=_KEPT if one in kept else "")
        entries = [_missing(one, failure, progress) for one, failure in missing]
        self._catalog.expect(entries)
        self._metrics.models_unavailable.set(sum(entry.state is State.UNAVAILABLE for entry in entries))
        served_entries = [served.entry for served in loaded.values()]
        away = any(entry.origin is not None and entry.origin.away for entry in served_entries)
        self._metrics.source_away.set(away)
        self._metrics.show_models(
            (entry.name, entry.version, entry.digest, entry.provider) for entry in served_entries
        )


_KEPT = "it is not listed any more, and serves on because nothing serves in its place yet"


def _missing(one: Wanted, failure: Failure | None, progress: str) -> Entry:
    state = State.UNAVAILABLE if failure else State.LOADING
    reason = redaction.text(f"{failure.reason}: {failure.message}") if failure else progress
    return Entry(one.name, one.version, state, reason=reason, source=str(one.location))


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
