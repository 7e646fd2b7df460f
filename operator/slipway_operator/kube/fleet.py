"""All models at a glance, for the queue of rollouts: two lists, and only when a model is about to begin one.

Of two that begin at the same moment each is told to the other: what was granted counts as under way until
the lists show it. The lists do not show everything that may hinder a model from beginning: one that was
looked at and has not asked keeps nobody waiting. Must not know who may begin.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.domain import fleet, target
from slipway_operator.kube import client, paths, reading, resolvers
from slipway_operator.planning import queueing
from slipway_operator.rendering import attempt

Body = dict[str, Any]
_Seen = TypeVar("_Seen")
TargetOf = Callable[[api.InferenceModel, Body], target.Target]

GRANTED_SECONDS = 15.0
_OURS = f"{labels.MANAGED_BY}={labels.MANAGED_BY_VALUE}"


class Fleet:
    """The models of all namespaces, or of those that are named."""

    def __init__(self, server: client.Api, limits: fleet.Limits, *, namespaces: Sequence[str]) -> None:
        self._server, self.limits, self._namespaces = server, limits, tuple(namespaces) or ("",)
        self._granted: dict[str, datetime.datetime] = {}
        self._resting: set[str] = set()  # after a restart nobody is, until he is looked at

    def rests(self, model: api.InferenceModel) -> None:
        """It was looked at, and has nothing to begin now, or cannot."""
        self._resting.add(_name(model))

    def was_refused(self, model: api.InferenceModel) -> None:
        """It could not begin what was granted: others may, until it asks again."""
        self._granted.pop(_name(model), None)
        self.rests(model)

    async def place(
        self, model: api.InferenceModel, target_of: TargetOf, *, now: datetime.datetime
    ) -> fleet.Place | None:
        """The model's place in the queue; None is leave to begin. Raises `errors.ApiError`."""
        children = Children(
            await self._all(paths.deployments, selector=_OURS),
            await self._all(paths.pods, selector=labels.RESOLVES),
        )
        models = await self._all(paths.all_models, selector="")
        entries = {e.model: e for e in entries_of(models, children, target_of, now=now)}
        self._resting.discard(_name(model))
        self._remember(entries, now)
        me = entries.get(_name(model))
        if me is None:  # deleted a moment ago
            return None
        found = queueing.place(me, list(entries.values()), self.limits)
        if found is None:
            self._granted[me.model] = now
        return found

    def _remember(self, entries: dict[str, fleet.Entry], now: datetime.datetime) -> None:
        for name, at in list(self._granted.items()):
            if (now - at).total_seconds() > GRANTED_SECONDS:
                del self._granted[name]
            elif name in entries:
                entries[name] = dataclasses.replace(entries[name], running=True)
        self._resting &= entries.keys()
        for name in self._resting:
            entries[name] = dataclasses.replace(entries[name], waiting=False)

    async def _all(self, path_of: Callable[[str], str], *, selector: str) -> list[Body]:
        found = await asyncio.gather(
            *(self._server.list(path_of(namespace), selector=selector) for namespace in self._namespaces)
        )
        return [body for bodies in found for body in bodies]


@dataclasses.dataclass(frozen=True, slots=True)
class Children:
    """Of all models, what of them tells how far a rollout is."""

    deployments: list[Body]
    resolvers: list[Body] = dataclasses.field(default_factory=list)


def entries_of(
    models: list[Body], children: Children, target_of: TargetOf, *, now: datetime.datetime
) -> list[fleet.Entry]:
    """Each model that can be read, and is not being deleted."""
    nothing = reading.Cluster(deployments=[], services=[], slices=[], pods=[])
    revisions = _by_owner(children.deployments, lambda body: reading.revision_of(body, nothing))
    pods = _by_owner(children.resolvers, resolvers.of_pod)
    entries = []
    for body in models:
        try:
            model = api.InferenceModel.parse(body)
        except api.InvalidModel:
            continue
        if model.deleted:
            continue
        entry = queueing.entry_of(
            _name(model),
            target_of(model, body),
            revisions[model.metadata.uid],
            resolvers=pods[model.metadata.uid],
            asked_at=_asked_at(body),
            devices=_devices(model),
            now=now,
        )
        entries.append(entry)
    return entries


def _name(model: api.InferenceModel) -> str:
    return f"{model.namespace}/{model.name}"


def _by_owner(bodies: list[Body], read: Callable[[Body], _Seen]) -> dict[str, list[_Seen]]:
    found = collections.defaultdict[str, list[_Seen]](list)
    for body in bodies:
        for owner in body["metadata"].get("ownerReferences", []):
            found[owner["uid"]].append(read(body))
    return found


def _asked_at(body: Body) -> datetime.datetime:
    """When somebody last changed the spec, but for its replicas by way of `/scale`."""
    changes = [
        note.get("time", "")
        for note in body["metadata"].get("managedFields", [])
        if not note.get("subresource") and "f:spec" in note.get("fieldsV1", {})
    ]
    moments = [m for text in changes if (m := attempt.read_timestamp(text)) is not None]
    created = attempt.read_timestamp(body["metadata"].get("creationTimestamp", ""))
    return max(moments, default=created or datetime.datetime.fromtimestamp(0, datetime.UTC))


def _devices(model: api.InferenceModel) -> int:
    limits = (model.spec.resources.limits if model.spec.resources else None) or {}
    return sum(int(amount) for name, amount in limits.items() if "/" in name and str(amount).isdecimal())
