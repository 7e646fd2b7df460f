"""Makes a plan's actions come true: one write each, with what keeps a stale plan harmless.

Must not decide anything: an action that no longer fits the cluster raises Conflict, and is planned anew.
"""

from __future__ import annotations

import dataclasses
from typing import Any, assert_never

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.kube import client, errors, paths, reading, resolvers, surroundings
from slipway_operator.planning import actions
from slipway_operator.rendering import attempt, deployment, identity, service


@dataclasses.dataclass(frozen=True, slots=True)
class Executor:
    """The writes about one model, as it was read."""

    server: client.Api
    model: api.InferenceModel
    cluster: reading.Cluster
    platform: deployment.Platform

    async def execute(self, action: actions.Action) -> None:
        """One write. Raises `errors.ApiError`; after that the rest of the plan must not be made."""
        match action:
            case actions.CreateDeployment():
                await self._create_deployment(action)
            case actions.CreateRevisionService(revision=revision):
                await self._create_revision_service(revision)
            case actions.CreateTrafficService(to=to):
                body = service.stable(self.model, revision=to)
                await self._create(paths.services(self.model.namespace), body)
            case actions.SwitchTraffic():
                await self._switch(action)
            case actions.Scale(revision=revision, replicas=replicas):
                await self._scale(revision, replicas)
            case actions.GiveWay() | actions.TakeDown():
                await self._take(action)
            case actions.DeleteRevision(revision=revision):
                await self._delete(revision)
            case actions.WidenTraffic() | actions.CreatePreviewService() | actions.PointPreview():
                await self._select(action)
            case (
                actions.CreateResolver()
                | actions.DeleteResolver()
                | actions.CreateBudget()
                | actions.DeleteBudget()
                | actions.ApplyAccess()
                | actions.DeleteAccess()
                | actions.MarkLentService()
                | actions.MendService()
                | actions.TakeOver()
            ):
                await self._around.execute(action)
            case _:
                await self._note(action)

    async def _select(
        self, action: actions.WidenTraffic | actions.CreatePreviewService | actions.PointPreview
    ) -> None:
        match action:
            case actions.WidenTraffic(origin=origin, at=at, resource_version=read):
                body = service.widened(self.model, origin=origin, at=at, resource_version=read)
                await self._apply_service(body)
            case actions.CreatePreviewService(to=to):
                body = service.preview(self.model, revision=to)
                await self._create(paths.services(self.model.namespace), body)
            case actions.PointPreview(to=to, resource_version=read):
                body = service.pointed_preview(self.model, to=to, resource_version=read)
                await self._apply_service(body)
            case _:
                assert_never(action)

    async def _note(self, action: actions.Note) -> None:
        match action:
            case actions.StartAttempt(at=at, replicas=replicas, number=number, beside=beside):
                notes = attempt.started(at=at, replicas=replicas, number=number, beside=beside)
            case actions.MarkPromoted(at=at):
                notes = attempt.promoted(at)
            case actions.Reject(verdict=verdict):
                notes = attempt.rejected(verdict)
            case actions.Release(verdict=verdict):
                notes = attempt.released(verdict)
            case actions.NoteSlowness(message=message):
                notes = attempt.slower(message)
            case _:
                assert_never(action)
        path = self._deployment_path(action.revision)
        await self.server.merge(path, {"metadata": {"annotations": notes}}, manager=labels.FIELD_MANAGER)

    async def _create_deployment(self, begin: actions.CreateDeployment) -> None:
        found = resolvers.answer_of(self.cluster.resolvers, begin.revision)
        if found is None:
            raise errors.Conflict(f"what the source of revision {begin.revision} leads to is not known")
        body = deployment.of_revision(
            self.model,
            revision=begin.revision,
            replicas=begin.replicas,
            at=begin.at,
            platform=self.platform,
            beside=begin.beside,
            found=found,
        )
        await self._create(paths.deployments(self.model.namespace), body)

    async def _create_revision_service(self, revision: str) -> None:
        owner = self._read(revision)
        body = service.of_revision(
            self.model,
            revision=revision,
            version=owner["metadata"]["labels"][labels.VERSION],
            deployment_uid=owner["metadata"]["uid"],
        )
        await self._create(paths.services(self.model.namespace), body)

    async def _create(self, path: str, body: identity.Body) -> None:
        await self._around.create(path, body)

    @property
    def _around(self) -> surroundings.Surroundings:
        return surroundings.Surroundings(self.server, self.model, self.cluster, self.platform)

    async def _switch(self, move: actions.SwitchTraffic) -> None:
        body = service.switch(
            self.model,
            origin=move.origin,
            to=move.to,
            at=move.at,
            resource_version=move.resource_version,
            back=move.back,
        )
        await self._apply_service(body)

    async def _apply_service(self, body: identity.Body) -> None:
        path = paths.services(self.model.namespace, body["metadata"]["name"])
        await self.server.apply(path, body, manager=labels.TRAFFIC_FIELD_MANAGER)

    async def _scale(self, revision: str, replicas: int) -> None:
        if replicas < self._read(revision)["spec"].get("replicas", 1) and replicas < self.model.spec.replicas:
            await self._assert_without_traffic(revision)
        await self._set_replicas(revision, replicas)

    async def _set_replicas(self, revision: str, replicas: int) -> None:
        path = f"{self._deployment_path(revision)}/scale"
        await self.server.merge(path, {"spec": {"replicas": replicas}}, manager=labels.FIELD_MANAGER)

    async def _take(self, action: actions.GiveWay | actions.TakeDown) -> None:
        match action:
            case actions.GiveWay(revision=revision):
                await self._give_way(revision)
            case actions.TakeDown(revision=revision):
                await self._set_replicas(revision, 0)
            case _:
                assert_never(action)

    async def _give_way(self, revision: str) -> None:
        """A last look at what is about to be taken from behind the Service: that nobody is served by it."""
        path = self._deployment_path(revision)
        if (await self.server.get(path)).get("status", {}).get("readyReplicas", 0) > 0:
            raise errors.Conflict(f"revision {revision} of {self.model.name} has a ready pod now")
        await self._set_replicas(revision, 0)

    async def _delete(self, revision: str) -> None:
        await self._assert_without_traffic(revision)
        await self.server.delete(self._deployment_path(revision), uid=self._read(revision)["metadata"]["uid"])

    async def _assert_without_traffic(self, revision: str) -> None:
        """The last look before pods are taken away: the selector, as it is at this moment."""
        path = paths.services(self.model.namespace, self.model.name)
        live = await self.server.find(path)
        if live is not None and live["spec"].get("selector", {}).get(labels.REVISION) == revision:
            raise errors.Conflict(f"revision {revision} of {self.model.name} has the traffic again")

    def _read(self, revision: str) -> dict[str, Any]:
        """The revision's Deployment as it was read with the plan's observation."""
        name = identity.child_name(self.model.name, revision)
        for body in self.cluster.deployments:
            if body["metadata"]["name"] == name:
                return body
        raise errors.Conflict(f"Deployment {name} is gone")

    def _deployment_path(self, revision: str) -> str:
        return paths.deployments(self.model.namespace, identity.child_name(self.model.name, revision))
