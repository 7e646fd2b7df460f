"""Reads what the planner's questions ask for, beside what every look reads, and adds it to what was seen.

Must not decide what is worth asking (planning.inquiry).
"""

from __future__ import annotations

import dataclasses

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.domain import observed
from slipway_operator.kube import answers, client, fleet, last_words, reading, scarcity, surveyor
from slipway_operator.planning import inquiry, room, situation
from slipway_operator.rendering import deployment as pod_template


@dataclasses.dataclass(frozen=True, slots=True)
class Inquirer:
    """Whom to ask."""

    surveyor: surveyor.Surveyor
    listener: answers.Listener = dataclasses.field(default_factory=answers.Listener)
    models: fleet.Fleet | None = None  # None where rollouts are not limited
    server: client.Api | None = None  # None: no logs are read

    async def complete(
        self,
        model: api.InferenceModel,
        cluster: reading.Cluster,
        s: situation.Situation,
        target_of: fleet.TargetOf,
    ) -> observed.Observed:
        """The same observation, with what else was worth asking. Raises `errors.ApiError`."""
        asked, seen = inquiry.questions(s, limited=self.models is not None), s.seen
        if self.models is not None and asked.turn:
            turn = await self.models.place(model, target_of, now=s.now)
            seen = dataclasses.replace(seen, turn=turn)
        elif self.models is not None:
            self.models.rests(model)
        if (of := seen.revision(asked.answers_of)) is not None:
            seen = seen.with_revision(await self._heard(cluster, of))
        if (of := seen.revision(asked.pace_of)) is not None:
            seen = seen.with_revision(await self._with_pace(cluster, of))
        if (of := seen.revision(asked.words_of)) is not None:
            seen = seen.with_revision(await self._with_words(cluster, of))
        if (of := seen.revision(asked.room_of)) is not None:
            seen = seen.with_revision(await self._with_shortage(cluster, of))
        return seen

    def was_refused(self, model: api.InferenceModel) -> None:
        """The API server would not have what was to be done about it."""
        if self.models is not None:
            self.models.was_refused(model)

    async def _with_shortage(self, cluster: reading.Cluster, of: observed.Revision) -> observed.Revision:
        deployment = next(d for d in cluster.deployments if _revision(d) == of.id)
        pods = [p for p in cluster.pods if _revision(p) == of.id]
        if not scarcity.is_told(deployment, pods):
            return of
        shortage = await self.surveyor.shortage(deployment, pods)
        return room.told(of, shortage) if shortage is not None else of

    async def _heard(self, cluster: reading.Cluster, of: observed.Revision) -> observed.Revision:
        heard = await self.listener.ask(p for p in cluster.pods if _revision(p) == of.id)
        if heard is None:
            return of
        return dataclasses.replace(of, answers=heard.whole, answers_lately=heard.lately, pace=heard.pace)

    async def _with_pace(self, cluster: reading.Cluster, of: observed.Revision) -> observed.Revision:
        pods = (p for p in cluster.pods if _revision(p) == of.id)
        return dataclasses.replace(of, pace=await self.listener.pace(pods))

    async def _with_words(self, cluster: reading.Cluster, of: observed.Revision) -> observed.Revision:
        if self.server is None:
            return of
        pods = (p for p in cluster.pods if _revision(p) == of.id)
        said = await last_words.of_pods(self.server, pods, container=pod_template.CONTAINER)
        return dataclasses.replace(of, last_words=said)


def _revision(child: client.Body) -> str:
    return str(child["metadata"].get("labels", {}).get(labels.REVISION, ""))
