"""Reads everything about one model, live: the watch only says when to look, never what is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from slipway_operator.api import labels, spec
from slipway_operator.api import model as api
from slipway_operator.kube import client, paths, reading
from slipway_operator.rendering import identity


async def read(server: client.Api, model: api.InferenceModel, *, revision: str) -> reading.Cluster:
    """The model's children, and whatever stands under a name that the model or `revision` needs."""
    namespace, selector = model.namespace, f"{labels.MODEL}={model.name}"
    deployments, services, pods, resolvers, budgets, access = await asyncio.gather(
        server.list(paths.deployments(namespace), selector=selector),
        server.list(paths.services(namespace), selector=selector),
        server.list(paths.pods(namespace), selector=selector),
        server.list(paths.pods(namespace), selector=f"{labels.RESOLVES}={model.name}"),
        server.list(paths.budgets(namespace), selector=selector),
        server.find(paths.network_policies(namespace, identity.access_name(model.name))),
    )
    child = identity.child_name(model.name, revision)
    await _add_namesake(server, deployments, paths.deployments(namespace, child), child)
    for name in {child, *_standing(deployments)}:
        await _add_namesake(server, services, paths.services(namespace, name), name)
    await _add_namesake(server, services, paths.services(namespace, model.name), model.name)
    if model.spec.rollout.promotion is spec.Promotion.MANUAL:
        preview = identity.preview_name(model.name)
        await _add_namesake(server, services, paths.services(namespace, preview), preview)
    if model.spec.replicas > 1:
        await _add_namesake(server, budgets, paths.budgets(namespace, child), child)
    named = {model.name, child, *(d["metadata"]["name"] for d in deployments)}
    slices = await _slices(server, model, of=named)
    return reading.Cluster(deployments, services, slices, pods, budgets, access, revision, resolvers)


def _standing(deployments: list[client.Body]) -> list[str]:
    return [d["metadata"]["name"] for d in deployments if d["spec"].get("replicas", 1) > 0]


async def _slices(server: client.Api, model: api.InferenceModel, *, of: Iterable[str]) -> list[client.Body]:
    """By the Services that they are of: their other labels are copies of a Service's, and may be missing."""
    selector = f"{reading.SERVICE_OF_SLICE} in ({','.join(sorted(of))})"
    return await server.list(paths.endpoint_slices(model.namespace), selector=selector)


async def _add_namesake(server: client.Api, found: list[client.Body], path: str, name: str) -> None:
    """An object under a name of ours that does not carry our labels: somebody else's, most likely."""
    if any(child["metadata"]["name"] == name for child in found):
        return
    namesake = await server.find(path)
    if namesake is not None:
        found.append(namesake)
