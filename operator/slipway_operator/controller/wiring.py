"""kopf as an informer, and nothing more: every event becomes a key in our queue.

No on.create, no daemon, no index, no patch, no return value: each of them writes to objects, adds a
finalizer, or keeps a stale truth. Handlers are closures because kopf accepts no methods.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import kopf

from slipway_operator import settings as configuration
from slipway_operator.api import model as api
from slipway_operator.controller import leadership, work_queue
from slipway_operator.kube import echoes, errors, paths, watched


def streams(chosen: configuration.Settings) -> frozenset[echoes.Stream]:
    """Every watch that kopf will keep."""
    kinds = (api.PLURAL, watched.LEASES[2], *(kind.plural for kind in watched.CHILDREN))
    return frozenset(
        echoes.Stream(kind, scope) for kind in kinds for scope in chosen.watch_namespaces or ("",)
    )


async def watch(term: leadership.Leadership, *, stop: asyncio.Event, on_start: Callable[[], None]) -> None:
    """Until `stop` is set. Raises what ended a watch, or why none could begin.

    `on_start` is called once kopf has put its signal handlers in place of ours.
    """
    registry = kopf.OperatorRegistry()
    _register(registry, term, on_start)
    await kopf.operator(
        registry=registry,
        settings=kopf_settings(term.chosen),
        memo=term,
        standalone=True,  # peering is no leader election: equal priorities freeze both
        clusterwide=not term.chosen.watch_namespaces,
        namespaces=list(term.chosen.watch_namespaces),
        stop_flag=stop,
    )


def _register(
    registry: kopf.OperatorRegistry, term: leadership.Leadership, on_start: Callable[[], None]
) -> None:
    """Every handler there is."""

    @kopf.on.login(registry=registry)
    def login(**known: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**known) or kopf.login_with_kubeconfig(**known)

    # Any failure ends the process: kopf would try again each minute, and the Lease be held in vain.
    @kopf.on.startup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def start(**_: Any) -> None:
        on_start()
        await _assert_crd(term)
        term.start()

    @kopf.on.cleanup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def stop(**_: Any) -> None:
        await term.stop()

    @kopf.on.event(api.GROUP, api.VERSION, api.PLURAL, registry=registry)
    async def model(namespace: str | None, name: str | None, body: Any, **_: Any) -> None:
        term.echoes.came(api.PLURAL, namespace or "", body)
        term.queue.add(work_queue.Key(namespace or "", name or ""))

    @kopf.on.event(*watched.LEASES, registry=registry)
    async def lease(namespace: str | None, body: Any, **_: Any) -> None:
        if namespace in (term.chosen.namespace, *term.chosen.watch_namespaces):
            term.echoes.came(watched.LEASES[2], namespace or "", body)

    for kind in watched.CHILDREN:
        _watch_children(registry, term, kind)


def _watch_children(registry: kopf.OperatorRegistry, term: leadership.Leadership, kind: watched.Kind) -> None:
    @kopf.on.event(*kind.resource, registry=registry)
    async def child(namespace: str | None, meta: Any, body: Any, **_: Any) -> None:
        term.echoes.came(kind.plural, namespace or "", body)
        if model := watched.model_of(meta.get("labels") or {}):
            term.queue.add(work_queue.Key(namespace or "", model))


async def _assert_crd(term: leadership.Leadership) -> None:
    """Without it nothing could be watched, and kopf would only warn."""
    try:
        await term.server.get(paths.crd_resources())
    except errors.NotFound:
        raise kopf.PermanentError(
            f"the CRD {api.PLURAL}.{api.GROUP} is not installed: "
            "apply crds/, or set crds.enabled in the chart"
        ) from None


def kopf_settings(operator: configuration.Settings) -> kopf.OperatorSettings:
    """Only what differs from kopf's defaults, and why."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False  # Events are ours, once each
    chosen.scanning.disabled = True  # no cluster-wide watch of CRDs and namespaces
    chosen.watching.server_timeout = 300  # a watch that has gone deaf ends at the latest then
    chosen.watching.client_timeout = 310
    chosen.watching.connect_timeout = 10
    chosen.networking.request_timeout = 30
    chosen.networking.error_backoffs = (0.5, 1, 2, 4)  # then the process ends and is started again
    chosen.process.ultimate_exiting_timeout = operator.stop_seconds + 10
    for kind in watched.CHILDREN:
        chosen.watching.label_selectors[kind.resource] = kind.selector  # filtered by the server, not here
    chosen.watching.field_selectors[watched.LEASES] = f"metadata.name={operator.lease_name}"
    return chosen
