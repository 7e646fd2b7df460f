"""Who holds what a pod waits for: asked of the whole cluster, or of one namespace where no more may be read.

Only asked while something is lacking, and at most every few seconds, since the answer may be long.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from slipway_operator.domain.scarcity import Shortage
from slipway_operator.kube import client, errors, paths, scarcity

KEPT_SECONDS = 10.0


class Surveyor:
    """`cluster_wide` as the operator's rights are: nodes, and the pods of all namespaces."""

    def __init__(
        self, server: client.Api, *, cluster_wide: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._server, self._cluster_wide, self._clock = server, cluster_wide, clock
        self._kept: dict[str, tuple[float, client.Bodies]] = {}

    async def shortage(self, deployment: client.Body, pods: list[client.Body]) -> Shortage | None:
        """Of what there is too little for the Deployment's pods. Raises `errors.ApiError`."""
        namespace = deployment["metadata"]["namespace"]
        others = await self._list(paths.pods(namespace))
        forbidden = scarcity.in_quota(deployment, pods, others=others)
        if forbidden is not None:
            return forbidden
        nodes = await self._everywhere(paths.nodes())
        everywhere = await self._everywhere(paths.pods(""))
        if nodes is None or everywhere is None:
            return scarcity.on_nodes(deployment, pods, nodes=None, others=others)
        return scarcity.on_nodes(deployment, pods, nodes=nodes, others=everywhere)

    async def _everywhere(self, path: str) -> client.Bodies | None:
        """None where the operator has no right to it."""
        if not self._cluster_wide:
            return None
        try:
            return await self._list(path)
        except errors.Refused:
            return None

    async def _list(self, path: str) -> client.Bodies:
        at, found = self._kept.get(path, (float("-inf"), []))
        if self._is_fresh(at):
            return found
        found = await self._server.list(path, selector="")
        self._kept = {kept: known for kept, known in self._kept.items() if self._is_fresh(known[0])}
        self._kept[path] = (self._clock(), found)
        return found

    def _is_fresh(self, at: float) -> bool:
        return self._clock() - at < KEPT_SECONDS
