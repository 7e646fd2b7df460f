"""The workers: each takes a key, has it looked at, and decides when it is looked at again.

A look that fails is repeated: soon after a conflict, later and later after everything else.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Collection
from typing import Final

import structlog

from slipway_operator.controller import backoff, reconciler, work_queue
from slipway_operator.kube import errors
from slipway_operator.telemetry import metrics

log = structlog.get_logger(__name__)

AFTER_CONFLICT_SECONDS = 0.2
_SPREAD: Final = random.SystemRandom()


async def work(queue: work_queue.WorkQueue, looks: reconciler.Reconciler, *, resync_seconds: float) -> None:
    """Until the queue is closed. No failure of a look ends a worker."""
    while True:
        try:
            key = await queue.get()
        except work_queue.Closed:
            return
        structlog.contextvars.bind_contextvars(
            model=key.name, namespace=key.namespace, look=secrets.token_hex(4)
        )
        try:
            pause = await _look(queue, looks, key)
        finally:
            structlog.contextvars.clear_contextvars()
            queue.done(key)
        if pause == reconciler.GONE:
            continue  # whatever bears its name next asks by itself
        resync = resync_seconds * _SPREAD.uniform(0.8, 1.2)
        queue.add_after(key, resync if pause is None else min(max(pause, 0.0), resync))


async def _look(
    queue: work_queue.WorkQueue, looks: reconciler.Reconciler, key: work_queue.Key
) -> float | None:
    """Seconds until the next look, None for the next resync, or GONE."""
    with metrics.RECONCILE_SECONDS.time():
        try:
            pause = await looks.reconcile(key)
        except errors.Conflict as conflict:
            metrics.RECONCILES.labels("conflict").inc()
            log.info("overtaken", why=str(conflict))
            return AFTER_CONFLICT_SECONDS * queue.failed(key)
        except errors.ApiError as error:
            metrics.RECONCILES.labels("api_error").inc()
            log.warning("the API server did not do it", why=str(error))
            return backoff.seconds(queue.failed(key))
        except Exception:  # a bug of ours: it must not stop the other models
            metrics.RECONCILES.labels("bug").inc()
            log.exception("a look failed")
            return backoff.seconds(queue.failed(key))
    metrics.RECONCILES.labels("ok").inc()
    queue.succeeded(key)
    return pause


async def finish(
    queue: work_queue.WorkQueue, tasks: Collection[asyncio.Task[None]], *, seconds: float
) -> None:
    """Lets the looks that are under way end, for so long; the next process repeats the others."""
    queue.close()
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if late:
        log.warning("looks were cut off", count=len(late))
