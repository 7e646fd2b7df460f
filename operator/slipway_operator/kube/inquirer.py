"""Reads what the planner's questions ask for, beside what every look reads, and adds it to what was seen.

Must not decide what is worth asking (planning.inquiry).
"""

from __future__ import annotations

import dataclasses

from slipway_operator.api import labels
from slipway_operator.domain import observed
from slipway_operator.kube import answers, reading
from slipway_operator.planning import inquiry, situation


@dataclasses.dataclass(frozen=True, slots=True)
class Inquirer:
    """Whom to ask."""

    listener: answers.Listener = dataclasses.field(default_factory=answers.Listener)

    async def complete(self, cluster: reading.Cluster, s: situation.Situation) -> observed.Observed:
        """The same observation, with what else was worth asking."""
        asked, seen = inquiry.questions(s), s.seen
        if (of := seen.revision(asked.answers_of)) is not None:
            seen = seen.with_revision(await self._heard(cluster, of))
        return seen

    async def _heard(self, cluster: reading.Cluster, of: observed.Revision) -> observed.Revision:
        pods = [p for p in cluster.pods if p["metadata"].get("labels", {}).get(labels.REVISION) == of.id]
        heard = await self.listener.ask(pods)
        if heard is None:
            return of
        return dataclasses.replace(of, answers=heard.whole, answers_lately=heard.lately)
