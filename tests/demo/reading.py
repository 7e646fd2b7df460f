"""Reads the API server's objects and the ledger's counts into values. Pure; knows no connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.demo.snapshot import Condition, Model, Moment, Pod, PodState, Traffic
from tests.ledger.counts import Counts

VERSION = "slipway.dev/version"
REVISION = "slipway.dev/revision"
MOMENTS = 240

_READY = {"Live": PodState.SERVING, "Warm": PodState.WARM}


def model(found: Mapping[str, Any]) -> Model:
    """Read an InferenceModel, however far its status has come."""
    status = found.get("status", {})
    rollout = status.get("rollout", {})
    conditions = tuple(_condition(condition) for condition in status.get("conditions", ()))
    return Model(
        version=found["spec"]["version"],
        active=status.get("activeVersion", ""),
        step=rollout.get("step", ""),
        message=rollout.get("message", ""),
        observed=status.get("observedGeneration") == found["metadata"]["generation"],
        ready=any(condition.type == "Ready" and condition.status == "True" for condition in conditions),
        conditions=conditions,
    )


def pods(found: Iterable[Mapping[str, Any]], owner: Mapping[str, Any] | None) -> tuple[Pod, ...]:
    """Read the model's pods, the older version's first; `owner` is the InferenceModel."""
    states = {
        entry["revision"]: entry["state"] for entry in (owner or {}).get("status", {}).get("versions", ())
    }
    ordered = sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
    return tuple(_pod(pod, states) for pod in ordered)


def _pod(found: Mapping[str, Any], states: Mapping[str, str]) -> Pod:
    labels = found["metadata"]["labels"]
    revision = states.get(labels.get(REVISION, ""), "")
    return Pod(
        name=found["metadata"]["name"],
        version=labels.get(VERSION, "?"),
        state=_state(found, revision),
        node=found["spec"].get("nodeName", ""),
    )


def _state(found: Mapping[str, Any], revision: str) -> PodState:
    status = found.get("status", {})
    if "deletionTimestamp" in found["metadata"]:
        return PodState.DRAINING
    if status.get("phase") == "Failed" or _crashed(status):
        return PodState.FAILED
    if any(part["type"] == "Ready" and part["status"] == "True" for part in status.get("conditions", ())):
        return _READY.get(revision, PodState.READY)
    return PodState.LOADING if status.get("phase") == "Running" else PodState.WAITING


def _crashed(status: Mapping[str, Any]) -> bool:
    return any(
        "terminated" in part["state"] or part["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
        for part in status.get("containerStatuses", ())
    )


def _condition(found: Mapping[str, str]) -> Condition:
    return Condition(found["type"], found["status"], found.get("reason", ""), found.get("message", ""))


def answers(counts: Counts) -> Counter[str]:
    """Requests that each version has served, of all classes."""
    total: Counter[str] = Counter()
    for versions in counts.served.values():
        total.update(versions)
    return total


def traffic(before: Traffic | None, last: Counts | None, counts: Counts, seconds: float) -> Traffic:
    """Add the moment since the `last` counts, `seconds` ago, to what was known `before`."""
    new = answers(counts) - (answers(last) if last else Counter())
    moment = Moment(dict(sorted(new.items())), counts.failed - (last.failed if last else 0), seconds)
    moments = before.moments if before else ()
    return Traffic(counts.requests, counts.failed, counts.reasons, (*moments, moment)[-MOMENTS:])
