"""The end of a log, of a pod that still runs and is about to be let go: its log goes with it.

It is read for people and decides nothing, so that it may be missing: it takes a few seconds at most, and
raises nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from slipway_operator.kube import client, containers, errors, paths

Body = dict[str, Any]

LINES = 10
LONGEST = 900  # characters that are kept, of the end
TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 64 * 1024  # of ten lines, which may be long


async def of_pods(server: client.Api, pods: Iterable[Body], *, container: str) -> str:
    """Of the first of them, by name, that runs and is not ready; "" when there is none or it is not told."""
    speakers = sorted(
        (p for p in pods if _speaks(p, container)), key=lambda pod: str(pod["metadata"]["name"])
    )
    if not speakers:
        return ""
    metadata = speakers[0]["metadata"]
    query = [("container", container), ("tailLines", str(LINES)), ("limitBytes", str(_MOST_BYTES))]
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            told = await server.text(paths.log(metadata["namespace"], metadata["name"]), query)
    except (errors.ApiError, TimeoutError):
        return ""
    return ending(told)


def ending(told: str) -> str:
    """Its last lines, without what only a terminal understands."""
    lines = ("".join(c if c.isprintable() else " " for c in line).strip() for line in told.splitlines())
    return "\n".join([line for line in lines if line][-LINES:])[-LONGEST:]


def _speaks(pod: Body, container: str) -> bool:
    if "deletionTimestamp" in pod["metadata"]:
        return False
    own = containers.ours(pod, container)
    return "running" in own.get("state", {}) and not own.get("ready")
