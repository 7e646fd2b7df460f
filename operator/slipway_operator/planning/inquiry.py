"""What else is worth being asked before the decision: each of it costs requests, and is mostly of no account.

Pure. Must not know of whom it is asked.
"""

from __future__ import annotations

import dataclasses

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import bake, situation


@dataclasses.dataclass(frozen=True, slots=True)
class Questions:
    """Each names the revision that it is about, or is None."""

    answers_of: str | None = None  # what do its pods answer?
    room_of: str | None = None  # of what is there too little for its pods, and who holds it?


def questions(s: situation.Situation) -> Questions:
    """What could change what is done or said now."""
    live = s.live
    return Questions(
        answers_of=live.id if live is not None and bake.worth_hearing(s) else None,
        room_of=next((r.id for r in (s.target, live) if r is not None and _finds_no_room(r)), None),
    )


def _finds_no_room(revision: observed.Revision) -> bool:
    return any(problem.reason in reasons.NO_ROOM_REASONS for problem in revision.problems)
