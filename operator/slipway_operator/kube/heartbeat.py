"""A small write in each watched namespace, so that its watches have something to bring when nothing happens.

Where the operator's own Lease is watched its renewal does that, and nothing more is written.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence

import structlog

from slipway_operator.kube import client, errors, paths

log = structlog.get_logger(__name__)

_MANAGER = "slipway"


async def beat(
    server: client.Api, *, namespaces: Sequence[str], name: str, identity: str, seconds: float
) -> None:
    """Until cancelled: the Lease `name` in each of the namespaces, every so many seconds."""
    while namespaces:
        for namespace in namespaces:
            await _once(server, namespace, name, identity)
        await asyncio.sleep(seconds)


async def _once(server: client.Api, namespace: str, name: str, identity: str) -> None:
    body = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "holderIdentity": identity,
            "renewTime": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }
    try:
        await server.apply(paths.leases(namespace, name), body, manager=_MANAGER)
    except errors.ApiError as error:
        log.warning("no heartbeat", namespace=namespace, why=str(error))
