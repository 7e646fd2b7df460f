"""Which models there are, asked now and then: a watch may miss one, and what is missed is never queued."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from slipway_operator.controller import work_queue
from slipway_operator.kube import client, errors, paths

log = structlog.get_logger(__name__)


async def keep(
    server: client.Api, queue: work_queue.WorkQueue, *, namespaces: Sequence[str], seconds: float
) -> None:
    """Until cancelled: queues each model that the queue does not know, every so many seconds."""
    while True:
        await asyncio.sleep(seconds)
        for namespace in namespaces or ("",):
            await _once(server, queue, namespace)


async def _once(server: client.Api, queue: work_queue.WorkQueue, namespace: str) -> None:
    try:
        found = await server.list_metadata(paths.all_models(namespace))
    except errors.ApiError as error:
        log.warning("the models could not be listed", why=str(error))
        return
    for body in found:
        key = work_queue.Key(body["metadata"]["namespace"], body["metadata"]["name"])
        if not queue.knows(key):
            log.warning("the watch has missed a model", model=key.name, namespace=key.namespace)
            queue.add(key)
