"""What the user asks for, as the planner needs it: plain values, no schema, no defaults."""

from __future__ import annotations

import dataclasses
import enum

from slipway_operator.api import reasons


@dataclasses.dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the asked-for revision may not be created at all."""

    reason: reasons.ConditionReason
    message: str


class Strategy(enum.Enum):
    """How the new revision takes the place of the old one."""

    BLUE_GREEN = "BlueGreen"
    ROLLING = "Rolling"
    RECREATE = "Recreate"


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """The asked-for revision and the pace at which to go there. Times are in seconds."""

    revision: str
    version: str
    replicas: int
    strategy: Strategy = Strategy.BLUE_GREEN
    max_surge: int = 1
    max_unavailable: int = 0
    allow_downtime: bool = False
    progress_deadline: int = 600
    min_ready: int = 5
    bake: int = 60
    keep_warm: int = 60
    history_limit: int = 2
    retry_token: str = ""
    paused: bool = False
    manual: bool = False  # the user has the last word on a promotion
    approved: str = ""  # the revision that the user has given it for
    obstacle: Obstacle | None = None
    hands_off: bool = False  # the operator looks and says, and writes nothing else
    restricted: bool = False  # a NetworkPolicy says who may reach its pods
