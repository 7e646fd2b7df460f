"""From a location to a predictor that has proved itself.

What blocks runs in a thread of its own, so that the main loop's heart beats while a model loads.
Knows nothing of what else is served, but for the memory that it leaves.
"""

import concurrent.futures
import pathlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from slipway_runtime.artifacts import bundle, cache, retrieval
from slipway_runtime.artifacts.origin import Origin
from slipway_runtime.engine import forms, processors
from slipway_runtime.engine.model import Batching, Model
from slipway_runtime.engine.session import SessionOptions
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.lifecycle import Phase
from slipway_runtime.scheduling import costs, policy, verification
from slipway_runtime.scheduling.admission import QueueLimits
from slipway_runtime.scheduling.batcher import Batcher, BatcherOptions
from slipway_runtime.scheduling.predictor import Predictor
from slipway_runtime.scheduling.turns import Turns
from slipway_runtime.settings import Settings
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.versions import background, memory
from slipway_runtime.versions.wanted import Wanted

_WARM_UP_SECONDS = 5.0
# Runs as short as this are the event loop's own: to hand one to the thread and back costs as much. Where
# there is one processor the thread computes nothing beside the loop, so only that others wait counts.
_INLINE_SECONDS, _INLINE_ON_ONE_PROCESSOR = 0.0015, 0.005
_ASIDE_ON_ONE_PROCESSOR = 0.002

Progress = Callable[[Phase], None]
"""Told of every step as it begins, from any thread."""


class MakePredictor(Protocol):
    """The class Predictor itself, or what makes one of its kind."""

    def __call__(
        self, model: Model, batcher: Batcher, *, name: str, version: str, digest: str
    ) -> Predictor: ...


_log = structlog.get_logger("slipway.loading")


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A version in memory that has answered its examples as it should."""

    predictor: Predictor
    digest: str
    provider: str
    batching: Batching
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False)
class _Built:
    model: Model
    description: bundle.Bundle
    origin: Origin
    estimate: costs.Estimate


class Loader:
    """Loads one version at a time, each in a thread that ends with it."""

    def __init__(self, settings: Settings, metrics: Metrics, predictor: MakePredictor) -> None:
        self._settings = settings
        self._predictor = predictor
        self._metrics = metrics
        self._threads = processors.available()
        self._one_at_a_time = threading.Lock()
        self._turns = Turns()
        # The threads of a session inherit the priority of the one that makes it, and keep it: this
        # one is begun now, while there is no other priority than the usual.
        self._usual_priority = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="sessions")
        self._usual_priority.submit(int)

    async def load(self, wanted: Wanted, progress: Progress, *, beside: bool) -> Loaded:
        """Download, load, warm up and verify. Raises StartupError.

        `beside` others that serve: at a low priority, and only if the memory is enough for both.
        When it is cancelled its thread goes on for a while, and what it makes is thrown away.
        """
        built = await background.run(
            lambda: self._build(wanted, progress, beside=beside),
            name="load",
            nice=background.LOW if beside else 0,
        )
        digest = built.description.digest or ""
        batcher = self._batcher(built, wanted)
        predictor = self._predictor(
            built.model, batcher, name=wanted.name, version=wanted.version, digest=digest
        )
        try:
            progress(Phase.VERIFYING)
            await self._verify(predictor, built, wanted)
        except BaseException:
            await predictor.close()
            raise
        return Loaded(predictor, digest, built.model.provider, built.model.batching, built.origin)

    async def _verify(self, predictor: Predictor, built: _Built, wanted: Wanted) -> None:
        began = time.monotonic()
        goldens = map(verification.Expectation.from_golden, built.description.description.goldens)
        expectations = [*goldens, *wanted.expectations]
        await verification.verify(predictor, expectations)
        seconds = time.monotonic() - began
        self._metrics.verification_seconds.set(seconds)
        _log.info("examples_answered", examples=len(expectations), seconds=round(seconds, 3))

    def _build(self, wanted: Wanted, progress: Progress, *, beside: bool) -> _Built:
        progress(Phase.DOWNLOADING)
        _log.info("loading", source=str(wanted.location), threads=self._threads, beside=beside)
        with cache.private_directory(self._settings.cache_dir) as directory:
            retrieved = self._retrieve(wanted, directory)
            fetched = retrieved.bundle
            with self._one_at_a_time:
                progress(Phase.LOADING)
                if beside:
                    self._check_memory(wanted, fetched)
                model = self._load_model(fetched)
                progress(Phase.WARMING_UP)
                return _Built(model, fetched, retrieved.origin, self._warm_up(model))

    def _retrieve(self, wanted: Wanted, directory: pathlib.Path) -> retrieval.Retrieved:
        began = time.monotonic()
        request = retrieval.Request(
            location=wanted.location,
            pin=wanted.digest,
            timeout=self._settings.download_timeout_seconds,
            cache_dir=self._settings.cache_dir,
            cache_max_bytes=self._settings.cache_max_bytes,
        )
        retrieved = retrieval.retrieve(request, directory)
        self._metrics.download_seconds.set(time.monotonic() - began)
        origin = retrieved.origin
        self._metrics.bundle_files.labels("cache").inc(origin.cached)
        self._metrics.bundle_files.labels("source").inc(len(origin.files) - origin.cached)
        return retrieved

    def _load_model(self, fetched: bundle.Bundle) -> Model:
        began = time.monotonic()
        model = self._usual_priority.submit(self._session, fetched).result()
        seconds = time.monotonic() - began
        self._metrics.load_seconds.set(seconds)
        _log.info("loaded", provider=model.provider, batching=model.batching.value, seconds=round(seconds, 3))
        return model

    def _session(self, fetched: bundle.Bundle) -> Model:
        options = SessionOptions(
            provider=self._settings.execution_provider,
            threads=self._threads,
            run_bytes=self._settings.max_run_bytes,
            gpu_bytes=self._settings.gpu_memory_bytes,
            prune=self._settings.prune,
        )
        with memory.large_blocks_apart():
            return forms.load(fetched, options)

    def _check_memory(self, wanted: Wanted, fetched: bundle.Bundle) -> None:
        available = memory.read(limit=self._settings.memory_limit_bytes)
        size = sum(path.stat().st_size for path in fetched.directory.iterdir())
        if available is not None and (shortage := available.shortage(size)):
            raise StartupError(Reason.MEMORY_SHORT, f"{wanted}: {shortage}", subject=str(wanted.location))

    def _warm_up(self, model: Model) -> costs.Estimate:
        began = time.monotonic()
        timings = model.warm_up(max_rows=self._max_rows(model), budget_s=_WARM_UP_SECONDS)
        seconds = time.monotonic() - began
        self._metrics.warm_up_seconds.set(seconds)
        estimate = costs.Estimate(timings)
        measured = estimate.costs
        _log.info(
            "warmed_up",
            seconds=round(seconds, 3),
            per_run_ms=round(measured.per_run * 1e3, 4),
            per_token_ms=round(measured.per_token * 1e3, 5),
            per_token_squared_ms=round(measured.per_token_squared * 1e3, 7),
        )
        return estimate

    def _max_rows(self, model: Model) -> int:
        """Of one run. What runs alone is neither waited for nor reckoned with in batches."""
        return 1 if model.batching is Batching.NONE else self._settings.max_batch_size

    def _batcher(self, built: _Built, wanted: Wanted) -> Batcher:
        limits = policy.Limits(
            max_rows=self._max_rows(built.model),
            max_tokens=self._settings.max_batch_tokens,
            max_wait=self._settings.max_wait_milliseconds / 1000,
        )
        options = BatcherOptions(
            limits=limits,
            estimate=built.estimate,
            queue=QueueLimits(
                max_seconds=self._settings.max_queue_seconds, max_rows=self._settings.max_queue_rows
            ),
            max_run_seconds=self._settings.max_run_seconds,
            inline_seconds=_INLINE_ON_ONE_PROCESSOR if self._threads == 1 else _INLINE_SECONDS,
            aside_seconds=_ASIDE_ON_ONE_PROCESSOR if self._threads == 1 else 0.0,
            turns=self._turns,
            clock=built.model.clock,
            model=wanted.name,
            version=wanted.version,
        )
        return Batcher(built.model.run, options, self._metrics)
