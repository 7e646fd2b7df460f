"""What one policy answers: the writes it wants, and when it wants to be asked again."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

from slipway_operator.planning import actions, situation


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """Actions in the order in which they are to be made."""

    actions: tuple[actions.Action, ...] = ()
    look_again: datetime.datetime | None = None


NOTHING = Decision()

Policy = Callable[[situation.Situation], Decision]


def act(*wanted: actions.Action) -> Decision:
    """These writes, in this order."""
    return Decision(actions=wanted)


def wait_until(moment: datetime.datetime) -> Decision:
    """Nothing now."""
    return Decision(look_again=moment)
