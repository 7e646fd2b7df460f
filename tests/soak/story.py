"""What happens in the long run: the legs, and when the operator is killed. Values only."""

from dataclasses import dataclass
from enum import StrEnum


class Kill(StrEnum):
    """The moment in a rollout at which the operator's process is ended with SIGKILL."""

    NEVER = "never"
    BEFORE_THE_SWITCH = "before the switch"  # the new pods are starting
    AFTER_THE_SWITCH = "after the switch"  # the selector has just moved


@dataclass(frozen=True, slots=True)
class Leg:
    """One rollout to `version`, and then its share of the requests."""

    version: str
    kill: Kill = Kill.NEVER


LEGS = (
    Leg("2"),
    Leg("1", Kill.BEFORE_THE_SWITCH),
    Leg("2"),
    Leg("1", Kill.AFTER_THE_SWITCH),
    Leg("2", Kill.BEFORE_THE_SWITCH),
    Leg("1"),
)
REQUESTS = 50_000
LONGEST_SECONDS = 1500.0


def share(answered: int, legs_left: int) -> int:
    """The requests to be answered in this leg, so that the whole reaches REQUESTS."""
    return max(0, -(-(REQUESTS - answered) // legs_left))
