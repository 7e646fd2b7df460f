"""Where a run keeps things. Knows nothing of what they hold."""

from pathlib import Path

from tests.cluster import paths

ROOT = paths.ROOT
HERE = Path(__file__).parent

STATE = ROOT / ".bench"
"""This clone's models, points measured so far and the servers' logs."""


def cache() -> Path:
    """What all clones share: virtual environments and the client's binary."""
    return paths.cache()
