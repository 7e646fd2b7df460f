"""The operator's looks made one by one in the test's own process, at a real API server.

What it writes is noted. Must not know what is expected.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import time
from collections.abc import Callable
from typing import Any

from kubernetes import aio
from kubernetes.aio import config

from slipway_operator.controller import reconciler, work_queue
from slipway_operator.kube import client, errors, inquirer, paths, surveyor
from slipway_operator.rendering import access, deployment
from tests.operator_shell.conftest import Place

Body = dict[str, Any]

PATIENCE = 240.0  # of a machine that does much else
PLATFORM = deployment.Platform("registry.test/runtime:1", visitors=access.Visitors("slipway-system"))


@dataclasses.dataclass(frozen=True, slots=True)
class Write:
    """One that was made: the verb, and what it went to."""

    verb: str
    kind: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Noting(client.Api):
    """The API server, and what was written to it."""

    writes: list[Write] = dataclasses.field(default_factory=list)

    async def create(self, path: str, body: Body, *, manager: str) -> Body:
        self._note("create", path, body["metadata"]["name"])
        return await client.Api.create(self, path, body, manager=manager)

    async def merge(self, path: str, body: Body, *, manager: str) -> Body:
        self._note("patch", path)
        return await client.Api.merge(self, path, body, manager=manager)

    async def apply(self, path: str, body: Body, *, manager: str) -> Body:
        self._note("apply", path)
        return await client.Api.apply(self, path, body, manager=manager)

    async def delete(self, path: str, *, uid: str) -> None:
        self._note("delete", path)
        await client.Api.delete(self, path, uid=uid)

    def _note(self, verb: str, path: str, name: str = "") -> None:
        place = paths.place_of(path)
        self.writes.append(Write(verb, place.kind, name or place.name))

    @property
    def of_the_rollout(self) -> list[Write]:
        """All but what is told of it: the status, and Events."""
        return [write for write in self.writes if write.kind not in ("inferencemodels", "events")]


class Operator:
    """It looks when it is told to, and keeps nothing from one look to the next."""

    def __init__(self, place: Place, platform: deployment.Platform = PLATFORM) -> None:
        self.place, self.platform = place, platform
        self.key = work_queue.Key(place.models, "sentiment")
        self.writes: list[Write] = []

    def looks_until(
        self, holds: Callable[[], bool], what: str, *, between: Callable[[], None] = lambda: None
    ) -> list[Write]:
        """The writes of the rollout until it holds; `between` is called after each look."""
        return asyncio.run(self._look_until(holds, what, between))

    def looks_once(self) -> list[Write]:
        """All that it writes in one look."""
        return asyncio.run(self._look_once())

    async def _look_until(
        self, holds: Callable[[], bool], what: str, between: Callable[[], None]
    ) -> list[Write]:
        server = await self._connect()
        deadline = time.monotonic() + PATIENCE
        try:
            while not holds():
                assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
                await self._look(server)
                between()
            return server.of_the_rollout
        finally:
            await server.connection.close()

    async def _look_once(self) -> list[Write]:
        server = await self._connect()
        try:
            await self._look(server)
            return server.writes
        finally:
            await server.connection.close()

    async def _look(self, server: Noting) -> None:
        try:
            again = await self._reconciler(server).reconcile(self.key)
        except (errors.Conflict, errors.Refused):  # the workers come back after both
            again = None
        if again != reconciler.AT_ONCE:
            await asyncio.sleep(0.2)

    async def _connect(self) -> Noting:
        await config.load_kube_config(config_file=str(self.place.plane.kubeconfig))
        return Noting(aio.client.ApiClient())

    def _reconciler(self, server: Noting) -> reconciler.Reconciler:
        now = datetime.datetime.now(datetime.UTC)
        return reconciler.Reconciler(
            server=server,
            platform=self.platform,
            images_allowed=frozenset(),
            instance="test",
            clock=lambda: datetime.datetime.now(datetime.UTC),
            watched_since=now,
            asks=inquirer.Inquirer(surveyor.Surveyor(server, cluster_wide=True)),
        )
