"""What the model's status says of a situation: what was observed, and nothing that is only planned.

Must decide nothing; it asks the policies' own predicates, so that the two cannot disagree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from slipway_operator.api import labels, reasons
from slipway_operator.domain import observed, revision, status
from slipway_operator.planning import conflict, situation, step, versions


def report(s: situation.Situation, *, model: str, namespace: str) -> status.Status:
    """The whole status."""
    at, ready = step.where(s), _ready(s, step.where(s))
    s = _as_answered(s)
    live = s.live if step.has_traffic(s) else None
    return status.Status(
        active=versions.of(s, live) if live else None,
        target=versions.asked(s),
        url=f"http://{model}.{namespace}.svc",
        replicas=_pods_of(s, live),
        ready_replicas=_answering(s, live),
        selector=_selector(s, model),
        versions=tuple(_reached(s, v, model=model, namespace=namespace) for v in versions.listed(s)),
        step=at.step,
        message=at.message,
        conditions=(ready, *_conditions(s, at)),
        turn=s.seen.turn,
        blocked=next((r.shortage for r in (s.target, s.live) if r is not None and r.shortage), None),
    )


def _as_answered(s: situation.Situation) -> situation.Situation:
    """Who answers is told also where the Service that leads to them is somebody else's by now."""
    if s.service is not None or s.seen.elsewhere is None:
        return s
    return dataclasses.replace(s, seen=dataclasses.replace(s.seen, service=s.seen.elsewhere))


def _reached(s: situation.Situation, line: status.Version, *, model: str, namespace: str) -> status.Version:
    """With the address at which this version alone answers, while it has pods behind it."""
    seen = s.seen.revision(line.revision)
    if seen is None or not seen.has_service or seen.desired == 0:
        return line
    return dataclasses.replace(line, url=f"http://{revision.child_name(model, seen.id)}.{namespace}.svc")


def _pods_of(s: situation.Situation, live: observed.Revision | None) -> int:
    if s.service is not None and s.service.wide:
        return sum(r.pods for r in s.seen.revisions)
    return live.pods if live else 0


def _answering(s: situation.Situation, live: observed.Revision | None) -> int:
    if s.service is not None and s.service.wide:
        return len(s.service.ready)
    return len(live.ready) if live else 0


def _selector(s: situation.Situation, model: str) -> str:
    """For autoscalers: the active revision's pods only, or they would count two versions as one.

    While pods are replaced by turns the two are one, and as many as are asked for.
    """
    if s.service is not None and s.service.wide:
        return f"{labels.MODEL}={model}"
    return f"{labels.MODEL}={model},{labels.REVISION}={s.live.id}" if s.live else ""


def _conditions(s: situation.Situation, at: step.Where) -> tuple[status.Condition, ...]:
    conditions = [_serving(s), _progressing(at)]
    if at.step in step.MOVING or (at.step is reasons.RolloutStep.HIBERNATED and not step.asleep(s)):
        conditions.append(_condition(reasons.ConditionType.RECONCILING, at.reason, at.message))
    if at.step in step.STUCK:
        conditions.append(_condition(reasons.ConditionType.STALLED, at.reason, at.message))
    if s.live is not None and (drift := _drift(s.live)) is not None:
        message = f"version {s.live.version}: {drift.object}: {drift.message}"
        conditions.append(_condition(reasons.ConditionType.SOURCE_DRIFTED, drift.reason, message))
    return tuple(conditions)


def _drift(live: observed.Revision) -> observed.Problem | None:
    """A pod that cannot start, since the bytes that were frozen are no more where they were."""
    word = reasons.ConditionReason.SOURCE_DRIFTED
    return next((problem for problem in live.problems if problem.reason is word), None)


def _condition(
    kind: reasons.ConditionType, reason: str, message: str, *, holds: bool = True
) -> status.Condition:
    return status.Condition(type=kind, status=holds, reason=reason, message=message)


def _ready(s: situation.Situation, at: step.Where) -> status.Condition:
    kind = reasons.ConditionType.READY
    if step.has_arrived(s):
        message = f"version {s.asked.version} receives the requests"
        return _condition(kind, reasons.ConditionReason.SERVING, message)
    if at.step is reasons.RolloutStep.HIBERNATED and step.asleep(s):  # as Kubernetes has it of a Deployment
        return _condition(kind, at.reason, at.message)
    return _condition(kind, at.reason, at.message, holds=False)


def _serving(s: situation.Situation) -> status.Condition:
    kind, live = reasons.ConditionType.SERVING, s.live
    if s.service is not None and s.service.ready and live is not None:
        message = f"version {live.version} answers with {_pods(len(live.ready), live.desired)}"
        return _condition(kind, reasons.ConditionReason.SERVING, message)
    if s.service is not None and s.service.wide and s.service.ready:
        message = f"{len(s.service.ready)} pods answer, of all versions that have some"
        return _condition(kind, reasons.ConditionReason.SERVING, message)
    if s.adopting and s.service is not None and s.service.ready:
        message = f"{len(s.service.ready)} pods answer that the Service led to before this model"
        return _condition(kind, reasons.ConditionReason.SERVING, message)
    if s.hibernating:
        message = "spec.replicas is 0: the model hibernates, and requests are refused"
        return _condition(kind, reasons.ConditionReason.HIBERNATED, message, holds=False)
    if s.service is None and (foreign := conflict.stable(s)) is not None:
        message = f"{step.belongs(foreign)}, and leads to no pod of this model"
        return _condition(kind, reasons.ConditionReason.NAME_CONFLICT, message, holds=False)
    message = "no pod is ready behind the Service: requests are refused"
    if live is not None and live.worst is not None:
        message += f" ({live.worst.object}: {live.worst.message})"
    return _condition(kind, reasons.ConditionReason.NO_READY_PODS, message, holds=False)


def _progressing(at: step.Where) -> status.Condition:
    moving = at.step in step.MOVING or at.step in step.LEAVING
    return _condition(reasons.ConditionType.PROGRESSING, at.reason, at.message, holds=moving)


def _pods(ready: int, wanted: int) -> str:
    return f"{ready} of {wanted} pods"


def with_refused(says: status.Status, sentences: Sequence[str]) -> status.Status:
    """The same, and what of the supporting resources the API server would not accept."""
    if not sentences:
        return says
    kind, reason = reasons.ConditionType.SUPPORTING_RESOURCES_REFUSED, reasons.ConditionReason.WRITE_REFUSED
    message = f"{'; '.join(sentences)}; the rollout goes on without; allow it, and it is tried again"
    return dataclasses.replace(says, conditions=(*says.conditions, _condition(kind, reason, message)))


def refused(says: status.Status, sentence: str, reason: reasons.ConditionReason) -> status.Status:
    """The same, but for what the API server would not accept: somebody has to act."""
    kept = tuple(
        c for c in says.conditions if c.type in (reasons.ConditionType.READY, reasons.ConditionType.SERVING)
    )
    stalled = tuple(
        _condition(kind, reason, sentence, holds=holds)
        for kind, holds in ((reasons.ConditionType.PROGRESSING, False), (reasons.ConditionType.STALLED, True))
    )
    return dataclasses.replace(
        says, step=reasons.RolloutStep.BLOCKED, message=sentence, conditions=(*kept, *stalled)
    )
