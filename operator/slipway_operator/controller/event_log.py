"""The Events of each model, as best effort: one that is refused stops nothing, and is remembered for a while.

Must not know what happened.
"""

from __future__ import annotations

import datetime
from typing import Final

import structlog

from slipway_operator.api import model as api
from slipway_operator.controller import work_queue
from slipway_operator.domain import happening
from slipway_operator.kube import client, errors, events

log = structlog.get_logger(__name__)

REMEMBERED_SECONDS: Final = 600.0


class EventLog:
    """Posts them, and knows which models have one that the API server refused."""

    def __init__(self) -> None:
        self._refused: dict[work_queue.Key, tuple[datetime.datetime, str]] = {}

    async def post(
        self,
        server: client.Api,
        model: api.InferenceModel,
        what: happening.Happening,
        *,
        now: datetime.datetime,
        instance: str,
    ) -> None:
        """One Event; its loss is no reason to stop a rollout, so no `errors.ApiError` is raised."""
        key = work_queue.Key(model.namespace, model.name)
        try:
            await events.post(server, model, what, now=now, instance=instance)
        except errors.ApiError as error:
            log.warning("an Event is lost", reason=str(what.reason), why=str(error))
            if isinstance(error, errors.Refused):
                self._refused[key] = now, str(error)
        else:
            self._refused.pop(key, None)

    def refusal(self, key: work_queue.Key, *, now: datetime.datetime) -> str:
        """Why the last Event was refused, as a sentence; '' when it was not, or long ago."""
        at, why = self._refused.get(key, (now, ""))
        if not why or (now - at).total_seconds() > REMEMBERED_SECONDS:
            return ""
        return f"cannot post an Event: {why}"

    def forget(self, key: work_queue.Key) -> None:
        """The model is gone."""
        self._refused.pop(key, None)
