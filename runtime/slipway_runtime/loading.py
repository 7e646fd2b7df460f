"""From a location to a predictor that has proved itself.

The steps that block run in a thread, so that the main loop's heart beats while a model loads.
"""

import asyncio
import time
from dataclasses import dataclass

import structlog

from slipway_runtime.artifacts import bundle, cache, sources
from slipway_runtime.engine import processors
from slipway_runtime.engine.classifier import Classifier
from slipway_runtime.engine.session import SessionOptions
from slipway_runtime.lifecycle import Lifecycle, Phase
from slipway_runtime.scheduling import costs, policy, verification
from slipway_runtime.scheduling.batcher import Batcher, BatcherOptions
from slipway_runtime.scheduling.predictor import Predictor
from slipway_runtime.settings import Settings
from slipway_runtime.telemetry.metrics import Metrics

_WARM_UP_SECONDS = 5.0

_log = structlog.get_logger("slipway.loading")


@dataclass(frozen=True, slots=True)
class _Loaded:
    classifier: Classifier
    description: bundle.Bundle
    costs: costs.Costs


async def load(settings: Settings, lifecycle: Lifecycle, metrics: Metrics, *, version: str) -> Predictor:
    """Download, load, warm up and verify the configured model. Raises StartupError."""
    loaded = await asyncio.to_thread(_load, settings, lifecycle, metrics)
    predictor = Predictor(
        loaded.classifier,
        _batcher(settings, loaded, metrics),
        name=settings.model_name,
        version=version,
        digest=loaded.description.digest or "",
    )
    lifecycle.phase = Phase.VERIFYING
    goldens = map(verification.Expectation.from_golden, loaded.description.description.goldens)
    expectations = [*goldens, *settings.expectations()]
    await verification.verify(predictor, expectations)
    digest, provider = loaded.description.digest or "", loaded.classifier.provider
    metrics.model_info.labels(settings.model_name, version, digest, provider).set(1)
    _log.info(
        "model_verified",
        model=settings.model_name,
        version=version,
        digest=digest,
        provider=provider,
        examples=len(expectations),
    )
    return predictor


def _load(settings: Settings, lifecycle: Lifecycle, metrics: Metrics) -> _Loaded:
    began = time.monotonic()
    lifecycle.phase = Phase.DOWNLOADING
    source = sources.at(settings.location(), deadline=began + settings.download_timeout_seconds)
    threads = processors.available()
    _log.info("loading", source=source.describe(), threads=threads)
    with cache.private_directory(settings.cache_dir) as directory:
        fetched = bundle.fetch(source, directory, pin=settings.bundle_sha256)
        lifecycle.phase = Phase.LOADING
        options = SessionOptions(provider=settings.execution_provider, threads=threads)
        classifier = Classifier(fetched, options)
    metrics.load_seconds.set(time.monotonic() - began)
    return _Loaded(classifier, fetched, _warm_up(classifier, settings, lifecycle, metrics))


def _warm_up(
    classifier: Classifier, settings: Settings, lifecycle: Lifecycle, metrics: Metrics
) -> costs.Costs:
    lifecycle.phase = Phase.WARMING_UP
    began = time.monotonic()
    timings = classifier.warm_up(max_rows=settings.max_batch_size, budget_s=_WARM_UP_SECONDS)
    metrics.warm_up_seconds.set(time.monotonic() - began)
    measured = costs.fit(timings[1:] or timings)  # the first run also pays for what is done lazily
    _log.info(
        "warmed_up",
        per_run_ms=round(measured.per_run * 1e3, 4),
        per_token_ms=round(measured.per_token * 1e3, 5),
        per_token_squared_ms=round(measured.per_token_squared * 1e3, 7),
    )
    return measured


def _batcher(settings: Settings, loaded: _Loaded, metrics: Metrics) -> Batcher:
    limits = policy.Limits(
        max_rows=settings.max_batch_size,
        max_tokens=settings.max_batch_tokens,
        max_wait=settings.max_wait_milliseconds / 1000,
    )
    options = BatcherOptions(limits=limits, max_queue_rows=settings.max_queue_rows, costs=loaded.costs)
    batcher = Batcher(loaded.classifier.run, options, metrics)
    batcher.start()
    return batcher
