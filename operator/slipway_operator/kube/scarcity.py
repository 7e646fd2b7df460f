"""Of what there is too little for a revision's pods, and who holds it: read out of nodes and pods.

Only devices are counted (`nvidia.com/gpu` and the like): of cpu and memory the scheduler's own sentence says
enough. Pure; must not know what is done about it.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Iterable
from typing import Any

from slipway_operator.api import labels
from slipway_operator.api.reasons import HolderKind
from slipway_operator.domain import quantity
from slipway_operator.domain.scarcity import Holder, Shortage
from slipway_operator.rendering import attempt

Body = dict[str, Any]

HOLDERS = 10  # as many as the status lists

_INSUFFICIENT = re.compile(r"Insufficient (\S+/[A-Za-z0-9_.-]*[A-Za-z0-9])")
_QUOTA = re.compile(r"exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)")
_ENDED = ("Succeeded", "Failed")
_FIRST = (HolderKind.ENDING, HolderKind.OLD_VERSION, HolderKind.OTHER)


def on_nodes(
    deployment: Body, pods: list[Body], *, nodes: list[Body] | None, others: list[Body]
) -> Shortage | None:
    """What the scheduler finds no node for. `pods` are the revision's own, `others` all that may hold it.

    Without `nodes` it is not known how much is free. None when no pod lacks a device.
    """
    pending = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"] and _lacking(pod)]
    if not pending:
        return None
    resource = _lacking(pending[0])
    each = _claim(deployment["spec"]["template"], resource)
    usable = None if nodes is None else [node for node in nodes if _is_usable(node, pending[0])]
    names = None if usable is None else {node["metadata"]["name"] for node in usable}
    claims = [pod for pod in others if _holds(pod, resource) and _stands_on(pod, names)]
    free = None
    if usable is not None:
        free = max(0, sum(_of(node, resource) for node in usable) - sum(_claim(p, resource) for p in claims))
    return Shortage(
        resource=resource,
        each=each,
        needed=each * len(pending),
        free=free,
        holders=_holders(claims, resource, deployment),
        since=min(_unscheduled_since(pod) for pod in pending),
    )


def in_quota(deployment: Body, pods: list[Body], *, others: list[Body]) -> Shortage | None:
    """What a ResourceQuota forbids, in the words of the API server: there is no pod that could tell."""
    refusal = _refusal(deployment)
    match = _QUOTA.search(refusal.get("message", ""))
    if match is None:
        return None
    requested, used, limited = (_amounts(match[n]) for n in (2, 3, 4))
    resource = next((name for name in requested if "/" in name), None)
    if resource is None:
        return None
    each, plain = requested[resource], resource.removeprefix("requests.")
    missing = max(1, deployment["spec"].get("replicas", 1) - len(pods))
    return Shortage(
        resource=plain,
        each=each,
        needed=each * missing,
        free=max(0, limited.get(resource, 0) - used.get(resource, 0)),
        holders=_holders([p for p in others if _holds(p, plain)], plain, deployment),
        since=_moment(refusal.get("lastTransitionTime")),
        quota=match[1].rstrip(","),
    )


def is_told(deployment: Body, pods: list[Body]) -> bool:
    """A device is lacking, or a quota is exceeded: only then is it worth asking who holds what."""
    return any(_lacking(pod) for pod in pods) or bool(_QUOTA.search(_refusal(deployment).get("message", "")))


def _holders(claims: Iterable[Body], resource: str, deployment: Body) -> tuple[Holder, ...]:
    """But for the revision's own pods that have found room."""
    own = _label(deployment, labels.REVISION)
    of_others = [p for p in claims if not _is_of(p, deployment) or _label(p, labels.REVISION) != own]
    found = [Holder(_kind(p, deployment), _name(p), _claim(p, resource)) for p in of_others]
    found.sort(key=lambda holder: (_FIRST.index(holder.kind), -holder.count, holder.name))
    return tuple(found[:HOLDERS])


def _kind(pod: Body, deployment: Body) -> HolderKind:
    if "deletionTimestamp" in pod["metadata"]:
        return HolderKind.ENDING
    return HolderKind.OLD_VERSION if _is_of(pod, deployment) else HolderKind.OTHER


def _is_of(pod: Body, deployment: Body) -> bool:
    """A pod of the same model."""
    same = pod["metadata"].get("namespace") == deployment["metadata"].get("namespace")
    return same and _label(pod, labels.MODEL) == _label(deployment, labels.MODEL) != ""


def _lacking(pod: Body) -> str:
    """The device that the scheduler finds too little of, or ''."""
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            match = _INSUFFICIENT.search(condition.get("message", ""))
            return match[1] if match else ""
    return ""


def _unscheduled_since(pod: Body) -> datetime.datetime:
    listed = pod.get("status", {}).get("conditions", [])
    return _moment(next((c.get("lastTransitionTime") for c in listed if c["type"] == "PodScheduled"), None))


def _refusal(deployment: Body) -> Body:
    listed: list[Body] = deployment.get("status", {}).get("conditions", [])
    return next((c for c in listed if c["type"] == "ReplicaFailure" and c["status"] == "True"), {})


def _is_usable(node: Body, pod: Body) -> bool:
    """As far as its labels and a cordon say; taints and affinities are the scheduler's business."""
    wanted = pod.get("spec", {}).get("nodeSelector") or {}
    bears = node["metadata"].get("labels", {})
    return not node.get("spec", {}).get("unschedulable") and wanted.items() <= bears.items()


def _holds(pod: Body, resource: str) -> bool:
    placed = bool(pod.get("spec", {}).get("nodeName")) and pod.get("status", {}).get("phase") not in _ENDED
    return placed and _claim(pod, resource) > 0


def _stands_on(pod: Body, nodes: set[str] | None) -> bool:
    return nodes is None or pod["spec"]["nodeName"] in nodes


def _claim(pod: Body, resource: str) -> int:
    """What its containers ask for together; a device's request is its limit."""
    amounts = [c.get("resources", {}).get("limits", {}) for c in pod["spec"].get("containers", [])]
    return sum(_whole(amount.get(resource, 0)) for amount in amounts)


def _of(node: Body, resource: str) -> int:
    return _whole(node.get("status", {}).get("allocatable", {}).get(resource, 0))


def _amounts(text: str) -> dict[str, int]:
    """`requests.nvidia.com/gpu=1,pods=1` as numbers."""
    pairs = (part.partition("=") for part in text.rstrip(",").split(","))
    return {name: _whole(amount) for name, _, amount in pairs}


def _whole(amount: object) -> int:
    try:
        return int(decimal.Decimal(quantity.canonical(amount)))
    except (decimal.InvalidOperation, ValueError):
        return 0


def _moment(text: str | None) -> datetime.datetime:
    return attempt.read_timestamp(text or "") or datetime.datetime.fromtimestamp(0, datetime.UTC)


def _label(body: Body, name: str) -> str:
    return str(body["metadata"].get("labels", {}).get(name, ""))


def _name(pod: Body) -> str:
    return f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
