"""Something that happened to a model and that its owner wants to know."""

from __future__ import annotations

import dataclasses

from slipway_operator.api import reasons


@dataclasses.dataclass(frozen=True, slots=True)
class Happening:
    """The reason is a word to filter by, the note a sentence to read."""

    reason: reasons.EventReason
    note: str
    warning: bool = False
