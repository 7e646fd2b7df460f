"""The writes beside Deployments and traffic: what guards the pods, the pods that find out what a source leads
to, and what is put right about Services.

Must not decide anything: as execute.py.
"""

from __future__ import annotations

import dataclasses
from typing import assert_never

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.kube import client, errors, ownership, paths, reading, repairs
from slipway_operator.planning import actions
from slipway_operator.rendering import access, deployment, disruption, identity, resolver, service


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """The same as an Executor has."""

    server: client.Api
    model: api.InferenceModel
    cluster: reading.Cluster
    platform: deployment.Platform

    async def execute(self, action: actions.Around) -> None:
        """One write. Raises `errors.ApiError`."""
        match action:
            case actions.CreateResolver():
                await self._create_resolver(action)
            case actions.DeleteResolver(name=name):
                await self._delete_resolver(name)
            case actions.CreateBudget(revision=revision):
                await self._create_budget(revision)
            case actions.DeleteBudget(revision=revision):
                await self._delete_budget(revision)
            case actions.ApplyAccess():
                await self._apply_access()
            case actions.DeleteAccess():
                await self._delete_access()
            case actions.MarkLentService():
                await self._mark_lent()
            case actions.MendService(revision=revision):
                await self._mend_service(revision)
            case actions.TakeOver(kind=kind, name=name):
                await self._take_over(kind, name)
            case _:
                assert_never(action)

    async def create(self, path: str, body: identity.Body) -> None:
        """A child, with the administrator's own labels. Raises `errors.ApiError`."""
        child = identity.also_labelled(body, self.platform.labels)
        await self.server.create(path, child, manager=labels.FIELD_MANAGER)

    async def _create_resolver(self, action: actions.CreateResolver) -> None:
        body = resolver.of_revision(
            self.model,
            revision=action.revision,
            number=action.number,
            attempt=action.attempt,
            platform=self.platform,
        )
        await self.create(paths.pods(self.model.namespace), body)

    async def _delete_resolver(self, name: str) -> None:
        """One that was read as ours; by its uid, so never a namesake's."""
        for pod in self.cluster.resolvers:
            if pod["metadata"]["name"] == name:
                path = paths.pods(self.model.namespace, name)
                await self.server.delete(path, uid=pod["metadata"]["uid"])

    async def _create_budget(self, revision: str) -> None:
        owner = self._named(self.cluster.deployments, "Deployment", revision)
        body = disruption.of_revision(
            self.model,
            revision=revision,
            version=owner["metadata"]["labels"][labels.VERSION],
            deployment_uid=owner["metadata"]["uid"],
        )
        await self.create(paths.budgets(self.model.namespace), body)

    async def _delete_budget(self, revision: str) -> None:
        budget = self._named(self.cluster.budgets, "PodDisruptionBudget", revision)["metadata"]
        await self.server.delete(paths.budgets(self.model.namespace, budget["name"]), uid=budget["uid"])

    async def _apply_access(self) -> None:
        if self.platform.visitors is not None:
            body = access.of_model(self.model, self.platform.visitors)
            child = identity.also_labelled(body, self.platform.labels)
            await self.server.apply(self._access_path(), child, manager=labels.FIELD_MANAGER)

    async def _delete_access(self) -> None:
        if self.cluster.access is not None:
            await self.server.delete(self._access_path(), uid=self.cluster.access["metadata"]["uid"])

    async def _mark_lent(self) -> None:
        for lent in self.cluster.services:
            if lent["metadata"]["name"] == self.model.name:
                path = paths.services(self.model.namespace, self.model.name)
                body = service.marked(lent, self.model.name)
                await self.server.merge(path, body, manager=labels.FIELD_MANAGER)

    async def _mend_service(self, revision: str) -> None:
        name = identity.child_name(self.model.name, revision) if revision else self.model.name
        found = next((s for s in self.cluster.services if s["metadata"]["name"] == name), None)
        if found is None:
            raise errors.Conflict(f"Service {name} is gone")
        if revision:
            owner = self._named(self.cluster.deployments, "Deployment", revision)
            patch = repairs.of_revision(self.model, owner, found)
        else:
            patch = repairs.of_stable(self.model, found)
        await self.server.merge(
            paths.services(self.model.namespace, name), patch, manager=labels.FIELD_MANAGER
        )

    async def _take_over(self, kind: str, name: str) -> None:
        """As it was read, and no other: the patch carries its uid and its resourceVersion."""
        known = (b for k, b in self.cluster.bodies() if (k, b["metadata"]["name"]) == (kind, name))
        found = next(known, None)
        family = ownership.Family.of(self.model, self.cluster.deployments)
        owner = family.owner_of(kind, found) if found is not None else None
        if found is None or owner is None:
            raise errors.Conflict(f"{kind} {name} is gone, or what is to own it")
        path = paths.children(kind, self.model.namespace, name)
        await self.server.merge(path, ownership.taken_over(found, owner), manager=labels.FIELD_MANAGER)

    def _named(self, found: list[client.Body], kind: str, revision: str) -> client.Body:
        name = identity.child_name(self.model.name, revision)
        for body in found:
            if body["metadata"]["name"] == name:
                return body
        raise errors.Conflict(f"{kind} {name} is gone")

    def _access_path(self) -> str:
        return paths.network_policies(self.model.namespace, identity.access_name(self.model.name))
