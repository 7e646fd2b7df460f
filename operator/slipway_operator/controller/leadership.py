"""What runs while this process holds the Lease: the workers, the survey, the heartbeat.

Must not know of kopf, nor how the Lease was got.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime

import structlog

from slipway_operator import settings as configuration
from slipway_operator.controller import reconciler, survey, vitals, work_queue, workers
from slipway_operator.domain.fleet import Limits
from slipway_operator.kube import client, echoes, fleet, heartbeat, inquirer, surveyor
from slipway_operator.rendering import access, deployment, trust

log = structlog.get_logger(__name__)


@dataclasses.dataclass(slots=True)
class Leadership:
    """One term of it."""

    chosen: configuration.Settings
    server: client.Api
    echoes: echoes.Echoes
    identity: str
    queue: work_queue.WorkQueue = dataclasses.field(default_factory=work_queue.WorkQueue)
    _workers: list[asyncio.Task[None]] = dataclasses.field(default_factory=list)
    _companions: list[asyncio.Task[None]] = dataclasses.field(default_factory=list)

    def __copy__(self) -> Leadership:  # kopf copies its memo for every object
        return self

    def start(self) -> None:
        chosen, looks = self.chosen, self._reconciler()
        self._workers = [
            asyncio.create_task(workers.work(self.queue, looks, resync_seconds=chosen.resync_seconds))
            for _ in range(chosen.workers)
        ]
        scope = chosen.watch_namespaces
        self._companions = [
            asyncio.create_task(
                survey.keep(self.server, self.queue, namespaces=scope, seconds=chosen.resync_seconds)
            ),
            asyncio.create_task(
                heartbeat.beat(
                    self.server,
                    namespaces=[each for each in scope if each != chosen.namespace],
                    name=chosen.lease_name,
                    identity=self.identity,
                    seconds=chosen.heartbeat_seconds / 4,
                )
            ),
        ]
        log.info("started", namespaces=scope or "all")

    @property
    def started(self) -> bool:
        return bool(self._workers)

    async def stop(self) -> None:
        """Ends in good order: a look that takes too long is cut off, and repeated by whoever comes next."""
        for task in self._companions:
            task.cancel()
        await workers.finish(self.queue, self._workers, seconds=self.chosen.stop_seconds)
        await asyncio.gather(*self._companions, return_exceptions=True)
        log.info("stopped")

    def complaints(self) -> tuple[str, ...]:
        """Why liveness fails; empty while all is well."""
        limits = vitals.Limits(
            silence=self.chosen.heartbeat_seconds,
            queued=self.chosen.queue_limit_seconds,
            look=self.chosen.look_limit_seconds,
        )
        return vitals.complaints(self.signs(), limits)

    def signs(self) -> vitals.Signs:
        return vitals.Signs(
            silences=self.echoes.silences(),
            queued=self.queue.age,
            look=self.queue.running_age,
            ended=sum(task.done() for task in self._workers),
        )

    def _reconciler(self) -> reconciler.Reconciler:
        chosen = self.chosen
        return reconciler.Reconciler(
            server=self.server,
            platform=deployment.Platform(
                runtime_image=chosen.runtime_image,
                s3_endpoint_url=chosen.s3_endpoint_url,
                s3_region=chosen.s3_region,
                visitors=_visitors(chosen),
                labels=chosen.common_labels,
                s3_authority=_authority(chosen),
                resolvers=_resolvers(chosen),
            ),
            images_allowed=frozenset(chosen.runtime_images_allowed),
            instance=chosen.pod_name,
            clock=lambda: datetime.datetime.now(datetime.UTC),
            watched_since=datetime.datetime.now(datetime.UTC),
            asks=self._inquirer(),
            service_accounts_allowed=frozenset(chosen.service_accounts_allowed),
        )

    def _inquirer(self) -> inquirer.Inquirer:
        chosen = self.chosen
        limits = Limits(chosen.max_concurrent_rollouts, chosen.max_surge_gpus)
        namespaces = chosen.watch_namespaces
        return inquirer.Inquirer(
            surveyor.Surveyor(self.server, cluster_wide=not namespaces),
            models=fleet.Fleet(self.server, limits, namespaces=namespaces) if limits else None,
            server=self.server,
        )


def _authority(chosen: configuration.Settings) -> trust.Authority | None:
    return trust.Authority(chosen.s3_ca_config_map, chosen.s3_ca_key) if chosen.s3_ca_config_map else None


def _visitors(chosen: configuration.Settings) -> access.Visitors | None:
    if not chosen.network_policies:
        return None
    return access.Visitors(chosen.namespace, chosen.monitoring_namespaces)


def _resolvers(chosen: configuration.Settings) -> deployment.Resolvers:
    return deployment.Resolvers(
        resources=chosen.resolver_resources or None,
        node_selector=chosen.resolver_node_selector,
        tolerations=chosen.resolver_tolerations,
        sidecars=chosen.resolver_sidecars,
    )
