"""Posts what happened to a model as Events, where `kubectl describe` shows it."""

from __future__ import annotations

import datetime
import uuid

from slipway_operator.api import model as api
from slipway_operator.domain import happening
from slipway_operator.kube import client, paths
from slipway_operator.rendering import identity

_CONTROLLER = "slipway.dev/operator"
_NOTE_LIMIT = 1024


async def post(
    server: client.Api,
    model: api.InferenceModel,
    what: happening.Happening,
    *,
    now: datetime.datetime,
    instance: str,
) -> None:
    """One Event. Raises `errors.ApiError`."""
    body = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{model.name}.{uuid.uuid4().hex[:16]}", "namespace": model.namespace},
        "eventTime": identity.timestamp(now),
        "reportingController": _CONTROLLER,
        "reportingInstance": instance[:128] or "operator",
        "action": str(what.reason),
        "reason": str(what.reason),
        "type": "Warning" if what.warning else "Normal",
        "note": what.note[:_NOTE_LIMIT],
        "regarding": {
            "apiVersion": api.API_VERSION,
            "kind": api.KIND,
            "namespace": model.namespace,
            "name": model.name,
            "uid": model.metadata.uid,
        },
    }
    await server.create(paths.events(model.namespace), body, manager="slipway")
