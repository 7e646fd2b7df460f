"""All models together, as far as their rollouts are in each other's way. Pure values."""

from __future__ import annotations

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What the administrator allows at a time; 0 is without limit."""

    rollouts: int = 0
    devices: int = 0  # such as GPUs, that rollouts may hold beside what serves

    def __bool__(self) -> bool:
        return self.rollouts > 0 or self.devices > 0


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One model: in a rollout, waiting to begin one, or neither."""

    model: str  # namespace/name
    running: bool
    waiting: bool
    asked_at: datetime.datetime
    devices: int  # that its rollout holds in addition


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue, from 1, behind whom, and whose rollouts are under way."""

    position: int
    ahead: tuple[str, ...]
    running: tuple[str, ...]
