"""How long a model, or one action on it, waits before it is tried once more. Pure."""

from __future__ import annotations

from typing import Final

from slipway_operator.domain import backoff

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 300.0


def seconds(times: int, *, longest: float = LONGEST_SECONDS) -> float:
    """After so many times in a row, 1 for the first."""
    return backoff.pause(times, first=FIRST_SECONDS, longest=longest)
