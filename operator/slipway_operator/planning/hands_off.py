"""Break-glass: with `slipway.dev/hands-off: "true"` on the model the operator looks, says, and does nothing.

For whoever has to mend a model by hand, and must not be hindered. The status stays true, and says what would
be done: so it can be seen what happens when the annotation goes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from slipway_operator.api import labels, reasons
from slipway_operator.domain import status
from slipway_operator.planning import actions

NAMED = 5  # actions in the sentence

TYPE = reasons.ConditionType
_OF_MOVEMENT = frozenset({TYPE.PROGRESSING, TYPE.RECONCILING, TYPE.STALLED})


def told(says: status.Status, withheld: Sequence[actions.Action]) -> status.Status:
    """The same status, with what is not done."""
    message = f"{labels.HANDS_OFF} is set: nothing is written; {_would(withheld)}; {says.message}"
    conditions = (_held(c, message) if c.type in _OF_MOVEMENT else c for c in says.conditions)
    return dataclasses.replace(says, message=message, conditions=tuple(conditions))


def _held(condition: status.Condition, message: str) -> status.Condition:
    moves = condition.status and condition.type is not TYPE.PROGRESSING
    reason = reasons.ConditionReason.HANDS_OFF
    return dataclasses.replace(condition, status=moves, reason=reason, message=message)


def _would(withheld: Sequence[actions.Action]) -> str:
    if not withheld:
        return "there is nothing to do"
    named = [str(action) for action in withheld[:NAMED]]
    more = [f"and {len(withheld) - NAMED} more"] if len(withheld) > NAMED else []
    return "it would " + ", ".join([*named, *more])
