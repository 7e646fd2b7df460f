"""How long to wait before something is tried once more: twice as long each time. Pure."""

from __future__ import annotations


def pause(times: int, *, first: float, longest: float) -> float:
    """Seconds after so many tries in a row, 1 for the first."""
    return min(first * 2.0 ** min(times - 1, 20), longest)
