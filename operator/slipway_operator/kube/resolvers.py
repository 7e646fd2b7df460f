"""From resolver pods to what the planner sees of them. Pure.

A pod that has ended with an answer in its last words has found it; one that has ended otherwise says why not,
or was ended before it could. It has ended when our container has: a sidecar that somebody has injected may
run on for as long as it likes, and its own end is nobody's answer.
"""

from __future__ import annotations

import datetime
from typing import Any

from slipway_operator.api import labels, reasons
from slipway_operator.api import model as api
from slipway_operator.domain import observed, resolution
from slipway_operator.kube import containers, ownership, problems
from slipway_operator.rendering import attempt, identity, resolver, source

Body = dict[str, Any]

_LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_ENDED = ("Succeeded", "Failed")
_WITHOUT_A_WORD = (reasons.ConditionReason.CRASH_LOOP, reasons.ConditionReason.SIDECAR_NOT_READY)


def is_ours(pod: Body, model: api.InferenceModel) -> bool:
    """Its owner's, or nobody's any more: what it says is used, and it is removed as any other."""
    if pod["metadata"].get("labels", {}).get(labels.MANAGED_BY) != labels.MANAGED_BY_VALUE:
        return ownership.is_owned(pod, model.metadata.uid)
    where = ownership.standing(pod, identity.owner_of(model))
    return where in (ownership.Standing.OWNED, ownership.Standing.UNOWNED)


def of_pod(pod: Body) -> observed.Resolver:
    """One pod, whatever became of it."""
    metadata = pod["metadata"]
    annotations, name = metadata.get("annotations", {}), metadata["name"]
    # By its phase where the kubelet has ended it: what was evicted may never have had a container.
    ended = bool(_terminated(pod)) or pod.get("status", {}).get("phase") in _ENDED
    answer = _answer(pod) if ended else None
    made = attempt.read_timestamp(metadata.get("creationTimestamp", "")) or _LONG_AGO
    return observed.Resolver(
        name=name,
        revision=metadata.get("labels", {}).get(labels.RESOLVES_REVISION, ""),
        number=_number(name),
        attempt=attempt.read_count(annotations, labels.ATTEMPT) or 1,
        retry_token=annotations.get(labels.RETRY_TOKEN, ""),
        made_at=made,
        ended_at=(_ended_at(pod) or made) if ended else None,
        source=answer,
        problem=None if answer is not None else _problem(pod, ended=ended),
        leaving="deletionTimestamp" in metadata,
    )


def answer_of(pods: list[Body], revision: str) -> resolution.Resolved | None:
    """The last one that was found for a revision."""
    found = [r for pod in pods if (r := of_pod(pod)).revision == revision and r.source is not None]
    return max(found, key=lambda r: r.number).source if found else None


def _problem(pod: Body, *, ended: bool) -> observed.Problem | None:
    found = problems.of_pod(pod, ours=resolver.CONTAINER, others=not _has_started(pod))
    if not ended or (found is not None and found.reason not in _WITHOUT_A_WORD):
        return found
    status = pod.get("status", {})
    said = found.message if found is not None else status.get("message") or status.get("reason")
    return observed.Problem(
        reason=reasons.ConditionReason.RESOLVER_INTERRUPTED,
        message=said or "it ended without an answer",
        object=f"Pod {pod['metadata']['name']}",
        severity=observed.Severity.BLOCKING,
    )


def _answer(pod: Body) -> resolution.Resolved | None:
    ended = _terminated(pod)
    return source.read(ended.get("message", "")) if ended.get("exitCode") == 0 else None


def _ended_at(pod: Body) -> datetime.datetime | None:
    return attempt.read_timestamp(_terminated(pod).get("finishedAt") or "")


def _terminated(pod: Body) -> Body:
    found: Body = _state(pod).get("terminated") or {}
    return found


def _has_started(pod: Body) -> bool:
    """Until then it may be others that it waits for."""
    return not {"running", "terminated"}.isdisjoint(_state(pod))


def _state(pod: Body) -> Body:
    found: Body = containers.ours(pod, resolver.CONTAINER).get("state", {})
    return found


def _number(name: str) -> int:
    tail = name.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else 1
