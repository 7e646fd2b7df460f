"""One look at one model: read, decide, act, say.

Level-triggered: nothing of the event that led here is known. A crash at any line is repaired by the next
look, because every decision is made from what the API server holds.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from slipway_operator.api import labels, reasons
from slipway_operator.api import model as api
from slipway_operator.api import spec as api_spec
from slipway_operator.api import status as api_status
from slipway_operator.controller import action_backoff, event_log, execution, measuring, work_queue
from slipway_operator.domain import happening, observed, revision, status, target
from slipway_operator.kube import client, errors, execute, inquirer, observe, paths, problems, reading
from slipway_operator.planning import actions, happenings, permission, plan, situation
from slipway_operator.planning import status as reporting
from slipway_operator.rendering import deployment
from slipway_operator.rendering import status as rendered
from slipway_operator.telemetry import metrics

log = structlog.get_logger(__name__)

AT_ONCE = execution.AT_ONCE
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
    backoff: action_backoff.ActionBackoff = dataclasses.field(default_factory=action_backoff.ActionBackoff)
    events: event_log.EventLog = dataclasses.field(default_factory=event_log.EventLog)

    async def reconcile(self, key: work_queue.Key) -> float | None:
        """Seconds until the next look is due, None when only an event makes one necessary, or GONE.

        Raises `errors.ApiError`: the caller decides when to try again.
        """
        body = await self.server.find(paths.models(key.namespace, key.name))
        if body is None or body["metadata"].get("deletionTimestamp"):
            self.backoff.forget(key)
            self.events.forget(key)
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
        told: list[happening.Happening] = []
        try:
            pause = await self._act(model, body, cluster, seen, decided, told)
        except errors.ApiError:
            await self._post(model, told)
            raise
        await self._post(model, told)  # after the writes: an Event that waits or is refused holds up nothing
        if pause == AT_ONCE or decided.look_again is None:
            return pause
        due = (decided.look_again - now).total_seconds()
        return due if pause is None else min(due, pause)

    async def _act(
        self,
        model: api.InferenceModel,
        body: client.Body,
        cluster: reading.Cluster,
        seen: observed.Observed,
        decided: plan.Plan,
        told: list[happening.Happening],
    ) -> float | None:
        """Does what was decided and says it; seconds until what could not be done now may be tried again."""
        says = decided.status
        try:
            pause = await self._execute(model, cluster, seen, decided, told)
        except errors.Refused as error:
            self.asks.was_refused(model)
            says = reporting.refused(says, str(error), problems.refusal(str(error)))
            told += await self._say(model, body, self._with_refusals(model, decided, says))
            raise
        except errors.ApiError:
            told += await self._say(model, body, self._with_refusals(model, decided, says))
            raise
        if not any(isinstance(action, actions.SwitchTraffic) for action in decided.actions):
            # Of who serves it would be wrong after a switch: the next look tells.
            told += await self._say(model, body, self._with_refusals(model, decided, says))
        return pause

    async def _execute(
        self,
        model: api.InferenceModel,
        cluster: reading.Cluster,
        seen: observed.Observed,
        decided: plan.Plan,
        told: list[happening.Happening],
    ) -> float | None:
        def made(action: actions.Action) -> None:
            measuring.made(action, seen, now=self.clock())
            told.extend(_heard(happenings.of_action(action, decided.status)))

        executor = execute.Executor(self.server, model, cluster, self.platform)
        carried = execution.Execution(executor, self.backoff, _key(model), self.clock, on_made=made)
        return await carried.carry_out(decided.actions)

    def _with_refusals(
        self, model: api.InferenceModel, decided: plan.Plan, says: status.Status
    ) -> status.Status:
        refused = self.backoff.refusals(_key(model), decided.actions)
        untold = self.events.refusal(_key(model), now=self.clock())
        return reporting.with_refused(says, (*refused, *([untold] if untold else [])))

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

    async def _say(
        self, model: api.InferenceModel, body: client.Body, says: status.Status
    ) -> list[happening.Happening]:
        """The one status write of a look, and none when it would change nothing; what is worth an Event."""
        now, before = self.clock(), model.status.rollout
        wanted = rendered.body(says, previous=model.status, generation=model.metadata.generation, now=now)
        if wanted == body.get("status"):
            return []
        await self._write_status(model.namespace, model.name, wanted)
        measuring.moved(before, says.step, now=now)
        step = happenings.of_step(before.step if before else None, says)
        return [*_heard(step), *happenings.of_drift(_drifted(model.status), says)]

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

    async def _post(self, model: api.InferenceModel, told: Sequence[happening.Happening]) -> None:
        for what in told:
            measuring.happened(what)
            await self.events.post(self.server, model, what, now=self.clock(), instance=self.instance)


def _key(model: api.InferenceModel) -> work_queue.Key:
    return work_queue.Key(model.namespace, model.name)


def _heard(what: happening.Happening | None) -> list[happening.Happening]:
    return [] if what is None else [what]


def _drifted(before: api_status.Status) -> frozenset[str]:
    """The revisions of which it has been said that somebody changed their pods."""
    word = reasons.EventReason.TEMPLATE_DRIFTED
    return frozenset(version.revision for version in before.versions or () if version.reason == word)
