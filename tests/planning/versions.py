"""The versions that the simulated users ask for, and what becomes of their pods.

A revision's id is its version's name here: the planner compares them and reads nothing else from them.
"""

from __future__ import annotations

import enum

from slipway_operator.api import reasons
from slipway_operator.domain import observed

REASON, SEVERITY = reasons.ConditionReason, observed.Severity


class Nature(enum.Enum):
    """How a version's pods end up when nobody disturbs them."""

    GOOD = "ready"
    WRONG = "answering a golden example wrongly"
    HOMELESS = "without a node that has room"
    SILENT = "never ready, for no reason that anybody gives"
    ABSENT = "never made: its bucket does not exist"
    FORGED = "never made: its bytes are not those that are pinned"


NATURES = {
    "v1": Nature.GOOD,
    "v2": Nature.GOOD,
    "v3": Nature.GOOD,
    "v4": Nature.GOOD,
    "wrong": Nature.WRONG,
    "homeless": Nature.HOMELESS,
    "silent": Nature.SILENT,
    "absent": Nature.ABSENT,
    "forged": Nature.FORGED,
}
GOOD = tuple(name for name, nature in NATURES.items() if nature is Nature.GOOD)


def is_good(version: str) -> bool:
    return NATURES[version] is Nature.GOOD


def finding(version: str, pod: str) -> observed.Problem | None:
    """What is said of a pod of this version that does not become ready."""
    match NATURES[version]:
        case Nature.WRONG:
            text = "example 1 is positive, not negative"
            return observed.Problem(REASON.GOLDEN_MISMATCH, text, pod, SEVERITY.REJECTING)
        case Nature.HOMELESS:
            return no_room(pod)
        case _:
            return None


def source_problem(version: str, pod: str) -> observed.Problem | None:
    """What a resolver pod says of this version's source, or None when it finds it."""
    match NATURES[version]:
        case Nature.ABSENT:
            text = "there is no bucket s3://absent"
            return observed.Problem(REASON.SOURCE_NOT_FOUND, text, pod, SEVERITY.BLOCKING)
        case Nature.FORGED:
            text = "its sha256 is another"
            return observed.Problem(REASON.DIGEST_MISMATCH, text, pod, SEVERITY.REJECTING)
        case _:
            return None


def no_room(pod: str) -> observed.Problem:
    """What is said of any pod that no node takes."""
    return observed.Problem(REASON.UNSCHEDULABLE, "0/2 nodes are available", pod, SEVERITY.BLOCKING)


def no_quota(version: str) -> observed.Problem:
    """What is said of a Deployment that may have no pod more."""
    name = f"Deployment sentiment-{version}"
    return observed.Problem(REASON.QUOTA_EXCEEDED, "exceeded quota: gpus", name, SEVERITY.BLOCKING)


def no_secret(pod: str) -> observed.Problem:
    """What is said of a pod that the kubelet cannot start yet."""
    return observed.Problem(REASON.SECRET_NOT_FOUND, 'secret "s3" not found', pod, SEVERITY.BLOCKING)


def cut_off(pod: str) -> observed.Problem:
    """What is said of a resolver pod that was ended by others."""
    return observed.Problem(REASON.RESOLVER_INTERRUPTED, "The node was low on memory", pod, SEVERITY.BLOCKING)


def crash(pod: str, severity: observed.Severity) -> observed.Problem:
    """What is said of any pod that has crashed: once (PASSING) or again and again (REJECTING)."""
    return observed.Problem(REASON.CRASH_LOOP, "ended with exit code 139", pod, severity)
