"""One look at one model: read, decide, act, say.

Level-triggered: nothing of the event that led here is known. A crash at any line is repaired by the next
look, because every decision is made from what the API server holds.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Callable
from typing import Final

import structlog

from slipway_operator.api import labels, reasons
from slipway_operator.api import model as api
from slipway_operator.api import spec as api_spec
from slipway_operator.api import status as api_status
from slipway_operator.controller import measuring, work_queue
from slipway_operator.domain import happening, observed, revision, status, target
from slipway_operator.kube import client, errors, events, execute, inquirer, observe, paths, problems, reading
from slipway_operator.planning import actions, happenings, permission, plan, situation
from slipway_operator.planning import status as reporting
from slipway_operator.rendering import deployment
from slipway_operator.rendering import status as rendered
from slipway_operator.telemetry import metrics

log = structlog.get_logger(__name__)

AT_ONCE = 0.0
GONE: Final = math.inf  # there is no such model: no look is due


@dataclasses.dataclass(frozen=True, slots=True)
class Reconciler:
    """What a look needs beside the model's name."""

    server: client.Api
    platform: deployment.Platform
    images_allowed: frozenset[str]
    instance: str
    clock: Callable[[], datetime.datetime]
    watched_since: datetime.datetime  # the start of this process
    asks: inquirer.Inquirer
    service_accounts_allowed: frozenset[str] = frozenset()

    async def reconcile(self, key: work_queue.Key) -> float | None:
        """Seconds until the next look is due, None when only an event makes one necessary, or GONE.

        Raises `errors.ApiError`: the caller decides when to try again.
        """
        body = await self.server.find(paths.models(key.namespace, key.name))
        if body is None or body["metadata"].get("deletionTimestamp"):
            return GONE  # the garbage collector takes the children along
        try:
            model = api.InferenceModel.parse(body)
        except api.InvalidModel as error:
            await self._refuse(key, body, str(error))
            return None
        return await self._roll(model, body)

    async def _roll(self, model: api.InferenceModel, body: client.Body) -> float | None:
        asked = self._target(model, body)
        structlog.contextvars.bind_contextvars(revision=asked.revision)
        cluster = await observe.read(self.server, model, revision=asked.revision)
        now = self.clock()
        seen = reading.observe(
            model, cluster, watched_since=self.watched_since, visitors=self.platform.visitors
        )
        before = situation.Situation(asked=asked, seen=seen, now=now)
        seen = await self.asks.complete(model, cluster, before, self._target)
        decided = plan.plan(asked, seen, now=now, model=model.name, namespace=model.namespace)
        says = decided.status
        try:
            await self._execute(model, cluster, seen, decided)
        except errors.Refused as error:
            self.asks.was_refused(model)
            await self._say(model, body, reporting.refused(says, str(error), problems.refusal(str(error))))
            raise
        except errors.ApiError:
            await self._say(model, body, says)
            raise
        if not any(isinstance(action, actions.SwitchTraffic) for action in decided.actions):
            await self._say(model, body, says)  # of who serves it would be wrong by now: the next look tells
        if decided.actions:
            return AT_ONCE
        return None if decided.look_again is None else (decided.look_again - now).total_seconds()

    async def _execute(
        self,
        model: api.InferenceModel,
        cluster: reading.Cluster,
        seen: observed.Observed,
        decided: plan.Plan,
    ) -> None:
        executor = execute.Executor(self.server, model, cluster, self.platform)
        for action in decided.actions:
            await executor.execute(action)
            log.info(str(action), action=type(action).__name__)
            measuring.made(action, seen, now=self.clock())
            await self._tell(model, happenings.of_action(action, decided.status))

    def _target(self, model: api.InferenceModel, body: client.Body) -> target.Target:
        spec, pace = model.spec, model.spec.rollout
        return target.Target(
            revision=revision.revision_of(body["spec"]),
            version=spec.version,
            replicas=spec.replicas,
            strategy=target.Strategy(pace.strategy.value),
            max_surge=pace.max_surge,
            max_unavailable=pace.max_unavailable,
            allow_downtime=pace.allow_downtime,
            progress_deadline=pace.progress_deadline_seconds,
            min_ready=pace.min_ready_seconds,
            bake=pace.bake_seconds,
            keep_warm=pace.keep_warm_seconds,
            history_limit=pace.history_limit,
            retry_token=pace.retry_token,
            paused=pace.paused,
            manual=pace.promotion is api_spec.Promotion.MANUAL,
            approved=model.approved,
            hands_off=model.hands_off,
            restricted=self.platform.visitors is not None,
            obstacle=permission.obstacle(
                self._lists,
                image=spec.runtime.image if spec.runtime else None,
                service_account=spec.service_account_name,
                namespace=model.namespace,
            ),
        )

    @property
    def _lists(self) -> permission.Lists:
        images = self.images_allowed | {self.platform.runtime_image}
        return permission.Lists(images, self.service_accounts_allowed)

    async def _say(self, model: api.InferenceModel, body: client.Body, says: status.Status) -> None:
        """The one status write of a look, and none when it would change nothing."""
        now, before = self.clock(), model.status.rollout
        wanted = rendered.body(says, previous=model.status, generation=model.metadata.generation, now=now)
        if wanted == body.get("status"):
            return
        await self._write_status(model.namespace, model.name, wanted)
        measuring.moved(before, says.step, now=now)
        await self._tell(model, happenings.of_step(before.step if before else None, says))
        for drift in happenings.of_drift(_drifted(model.status), says):
            await self._tell(model, drift)

    async def _refuse(self, key: work_queue.Key, body: client.Body, sentence: str) -> None:
        """An object that breaks a rule: said in its status, and nothing of it is touched."""
        previous = api_status.Status.read(body.get("status"))
        generation = int(body["metadata"].get("generation", 0))
        wanted = rendered.stopped(sentence, previous=previous, generation=generation, now=self.clock())
        if wanted != body.get("status"):
            await self._write_status(key.namespace, key.name, wanted)

    async def _write_status(self, namespace: str, name: str, wanted: client.Body) -> None:
        document = {
            "apiVersion": api.API_VERSION,
            "kind": api.KIND,
            "metadata": {"name": name, "namespace": namespace},
            "status": wanted,
        }
        path = f"{paths.models(namespace, name)}/status"
        await self.server.apply(path, document, manager=labels.FIELD_MANAGER)
        metrics.STATUS_WRITES.inc()

    async def _tell(self, model: api.InferenceModel, what: happening.Happening | None) -> None:
        if what is not None:
            measuring.happened(what)
            await events.post(self.server, model, what, now=self.clock(), instance=self.instance)


def _drifted(before: api_status.Status) -> frozenset[str]:
    """The revisions of which it has been said that somebody changed their pods."""
    word = reasons.EventReason.TEMPLATE_DRIFTED
    return frozenset(version.revision for version in before.versions or () if version.reason == word)
