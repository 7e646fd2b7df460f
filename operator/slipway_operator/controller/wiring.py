"""kopf as an informer, and nothing more: every event becomes a key in our queue.

No on.create, no daemon, no index, no patch, no return value: each of them writes to objects, adds a
finalizer, or keeps a stale truth. Handlers are closures because kopf accepts no methods.
"""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import kopf
import prometheus_client
import structlog

from slipway_operator import settings as configuration
from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.controller import reconciler, work_queue, workers
from slipway_operator.kube import client, errors, paths
from slipway_operator.rendering import deployment

log = structlog.get_logger(__name__)

CHILDREN = (
    ("apps", "v1", "deployments"),
    ("", "v1", "services"),
    ("", "v1", "pods"),
    ("discovery.k8s.io", "v1", "endpointslices"),
)

# A key that nobody takes for so long means that the workers are dead or hang.
OLDEST_KEY_SECONDS = 120.0


class Operator:
    """What lives between kopf's start and its end."""

    def __init__(self, chosen: configuration.Settings) -> None:
        self.chosen = chosen
        self.queue = work_queue.WorkQueue()
        self.tasks: list[asyncio.Task[None]] = []
        self.server: client.Api | None = None

    def __copy__(self) -> Operator:  # kopf copies its memo for every object
        return self

    async def start(self) -> None:
        """Connects and begins to work. Ends the process when the CRD is missing: nothing could be watched."""
        self.server = await client.connect()
        try:
            await self.server.get(paths.crd_resources())
        except errors.NotFound:
            await self.server.close()
            raise kopf.PermanentError(
                f"the CRD {api.PLURAL}.{api.GROUP} is not installed: "
                "apply crds/, or set crds.enabled in the chart"
            ) from None
        looks = reconciler.Reconciler(
            server=self.server,
            platform=deployment.Platform(
                runtime_image=self.chosen.runtime_image,
                s3_endpoint_url=self.chosen.s3_endpoint_url,
                s3_region=self.chosen.s3_region,
            ),
            images_allowed=frozenset(self.chosen.runtime_images_allowed),
            instance=self.chosen.pod_name,
            clock=lambda: datetime.datetime.now(datetime.UTC),
            watched_since=datetime.datetime.now(datetime.UTC),
        )
        self.tasks = [
            asyncio.create_task(workers.work(self.queue, looks, resync_seconds=self.chosen.resync_seconds))
            for _ in range(self.chosen.workers)
        ]
        log.info("started", namespaces=self.chosen.watch_namespaces or "all")

    async def stop(self) -> None:
        """Ends in good order: a look that is under way is cut off, and repeated by whoever comes next."""
        await workers.stop(self.tasks)
        if self.server is not None:
            await self.server.close()
        log.info("stopped")

    def healthy(self) -> bool:
        """All workers alive, and no key left lying."""
        alive = bool(self.tasks) and not any(task.done() for task in self.tasks)
        return alive and self.queue.age < OLDEST_KEY_SECONDS


def register(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    """Every handler there is."""

    @kopf.on.login(registry=registry)
    def login(**known: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**known) or kopf.login_with_kubeconfig(**known)

    @kopf.on.startup(registry=registry)
    async def start(**_: Any) -> None:
        await operator.start()

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await operator.stop()

    @kopf.on.probe(registry=registry, id="workers", errors=kopf.ErrorsMode.PERMANENT)
    async def probe(**_: Any) -> str:
        if not operator.healthy():
            raise kopf.PermanentError("a worker has ended, or the oldest key has waited too long")
        return "ok"

    @kopf.on.event(api.GROUP, api.VERSION, api.PLURAL, registry=registry)
    async def model(namespace: str | None, name: str | None, **_: Any) -> None:
        operator.queue.add(work_queue.Key(namespace or "", name or ""))

    for group, version, plural in CHILDREN:
        _watch_children(registry, operator, group, version, plural)


def _watch_children(
    registry: kopf.OperatorRegistry, operator: Operator, group: str, version: str, plural: str
) -> None:
    @kopf.on.event(group, version, plural, registry=registry, labels={labels.MODEL: kopf.PRESENT})
    async def child(namespace: str | None, meta: Any, **_: Any) -> None:
        operator.queue.add(work_queue.Key(namespace or "", meta["labels"][labels.MODEL]))


def kopf_settings() -> kopf.OperatorSettings:
    """Only what differs from kopf's defaults, and why."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False  # Events are ours, once each
    chosen.scanning.disabled = True  # no cluster-wide watch of CRDs and namespaces
    chosen.watching.server_timeout = 300  # a watch that has gone deaf ends at the latest then
    chosen.watching.client_timeout = 310
    chosen.watching.connect_timeout = 10
    chosen.networking.request_timeout = 30
    chosen.networking.error_backoffs = (0.5, 1, 2, 4)  # then the process ends and is started again
    selector = f"{labels.MANAGED_BY}={labels.MANAGED_BY_VALUE}"
    for child in CHILDREN:
        chosen.watching.label_selectors[child] = selector  # filtered by the server, not here
    return chosen


def run(chosen: configuration.Settings) -> None:
    """Until a signal ends it, or a watch dies."""
    registry = kopf.OperatorRegistry()
    operator = Operator(chosen)
    register(registry, operator)
    prometheus_client.start_http_server(chosen.metrics_port)
    everywhere = not chosen.watch_namespaces
    kopf.run(
        registry=registry,
        settings=kopf_settings(),
        memo=operator,
        standalone=True,  # peering is no leader election: equal priorities freeze both
        clusterwide=everywhere,
        namespaces=list(chosen.watch_namespaces),
        liveness_endpoint=f"http://0.0.0.0:{chosen.health_port}/healthz",
    )
