"""How long to wait before something is done once more: twice as long each time. Pure."""

from __future__ import annotations

from typing import Final

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 300.0


def seconds(times: int, *, longest: float = LONGEST_SECONDS) -> float:
    """After so many times in a row, 1 for the first."""
    return min(FIRST_SECONDS * 2.0 ** min(times - 1, 20), longest)
