"""Where the harness keeps things: the clone's own state and the caches that all clones share.

Knows no tool and no cluster.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The top folder of this clone."""

STATE = ROOT / ".cluster"
"""Everything that belongs to this clone's running cluster."""


def cache() -> Path:
    """What survives a cluster and is shared by all clones; SLIPWAY_CACHE moves it."""
    named = os.environ.get("SLIPWAY_CACHE")
    return Path(named).expanduser().absolute() if named else Path.home() / ".cache" / "slipway"
