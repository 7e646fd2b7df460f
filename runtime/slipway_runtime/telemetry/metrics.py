"""Every metric of the runtime, in one registry of its own.

Label values come from closed sets (routes, status codes, reasons), never from a request: a client
must not be able to fill the memory of Prometheus. Knows no layer of the runtime.
"""

from collections.abc import Iterable

import prometheus_client
from prometheus_client import Counter, Gauge, Histogram

from slipway_runtime.telemetry.queues import Queues

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the series, no answer

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The instruments. One object a process, handed to whoever measures."""

    def __init__(self) -> None:
        self.registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self.registry)
        prometheus_client.PlatformCollector(registry=self.registry)
        self.requests = self._counter("requests", "Answers by route and status code.", "endpoint", "status")
        self.inference_seconds = self._histogram(
            "inference_duration_seconds", "From a request's texts to their labels: encode, wait, run, decode."
        )
        self.rejected = self._counter("slipway_rejected", "Requests refused unprocessed.", "reason")
        self.queues = Queues()
        self.registry.register(self.queues)
        self.queue_seconds = self._histogram("slipway_queue_wait_seconds", "How long rows waited for theirs.")
        self.batch_rows = Histogram(
            "slipway_batch_rows", "Rows per batch.", buckets=_ROWS, registry=self.registry
        )
        self.batch_seconds = self._histogram("slipway_batch_run_seconds", "Run time of a batch.")
        tokens = self._counter("slipway_tokens", "Tokens run, of text and of padding.", "kind")
        self._text_tokens, self._padding_tokens = tokens.labels("text"), tokens.labels("padding")
        self.download_seconds = self._gauge(
            "slipway_model_download_seconds", "Time to fetch the last bundle and check its digests."
        )
        self.load_seconds = self._gauge(
            "slipway_model_load_seconds", "Time to try the last model out, and to load it."
        )
        self.source_away = self._gauge(
            "slipway_bundle_source_away",
            "1 while any version that is served came from the cache because its source did not answer.",
        )
        self.bundle_files = self._counter("slipway_bundle_files", "Files that were read.", "origin")
        self.warm_up_seconds = self._gauge("slipway_model_warmup_seconds", "Time to warm the last model up.")
        self.verification_seconds = self._gauge(
            "slipway_model_verification_seconds", "Time in which the last model answered its examples."
        )
        self.model_info = Gauge(
            "slipway_model_info",
            "The model that is served.",
            ["model", "version", "digest", "provider"],
            registry=self.registry,
        )
        self._infos: set[tuple[str, str, str, str]] = set()
        self.model_loads = self._counter(
            "slipway_model_loads", "Versions loaded, by outcome: served, or the reason why not.", "outcome"
        )
        self.swaps = self._counter(
            "slipway_model_swaps",
            "Attempts to put another version in the place of the one that serves: done or failed.",
            "outcome",
        )
        self.models_unavailable = self._gauge(
            "slipway_models_unavailable", "Versions that are wanted here and cannot be served."
        )
        self.models_file_valid = self._gauge(
            "slipway_models_file_valid", "0 while SLIPWAY_MODELS_FILE cannot be read or makes no sense."
        )
        self.models_file_valid.set(1)  # also where there is none
        self.memory_after_unload = self._gauge(
            "slipway_anonymous_memory_after_unload_bytes",
            "Resident memory that is no file's, after the last unload.",
        )
        self.connections_open = self._gauge(
            "slipway_connections_open", "Open connections, probes not counted."
        )
        self.grpc_connections_open = self._gauge("slipway_grpc_connections_open", "Open gRPC connections.")
        self.draining = self._gauge("slipway_draining", "1 from SIGTERM on.")

    def show_models(self, infos: Iterable[tuple[str, str, str, str]]) -> None:
        """Export slipway_model_info for these (model, version, digest, provider) and no others."""
        shown = set(infos)
        for gone in self._infos - shown:
            self.model_info.remove(*gone)
        for info in shown:
            self.model_info.labels(*info).set(1)
        self._infos = shown

    def count_tokens(self, *, real: int, padded: int) -> None:
        """Count a batch of `real` tokens that ran as `padded`."""
        self._text_tokens.inc(real)
        if padded > real:
            self._padding_tokens.inc(padded - real)

    def render(self) -> bytes:
        """The registry in Prometheus' text format, of type CONTENT_TYPE."""
        return prometheus_client.generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, buckets=_SECONDS, registry=self.registry)
