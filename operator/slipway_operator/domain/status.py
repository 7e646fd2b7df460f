"""What the model's status says, as values. Output only: no decision may read it.

Must not know times of earlier statements; `rendering.status` keeps those.
"""

from __future__ import annotations

import dataclasses

from slipway_operator.api import reasons
from slipway_operator.domain import fleet, scarcity


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """One statement about the model. `Reconciling` and `Stalled` are listed only while true (kstatus)."""

    type: reasons.ConditionType
    status: bool
    reason: str  # a ConditionReason, or what a newer operator has written down
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """One revision, as the list of versions shows it."""

    version: str
    revision: str
    state: reasons.VersionState
    ready: int
    reason: str = ""
    message: str = ""  # the reason in a sentence, with the last words of a pod that was let go
    url: str = ""  # of its own Service
    digest: str = ""  # that its pods accept
    made: bool = True  # it has a Deployment


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """The whole of it."""

    active: Version | None
    target: Version | None
    url: str
    replicas: int
    ready_replicas: int
    selector: str
    versions: tuple[Version, ...]
    step: reasons.RolloutStep
    message: str
    conditions: tuple[Condition, ...]
    blocked: scarcity.Shortage | None = None
    turn: fleet.Place | None = None
