"""Looks at the free disk before something large is begun.

Knows nothing of what is built.
"""

import shutil
from pathlib import Path

from tests.cluster.errors import ClusterError

GIB = 1024**3


def require(place: Path, gib: float, purpose: str) -> None:
    """ClusterError when the disk under `place` has less than `gib` free."""
    free = shutil.disk_usage(_existing(place)).free / GIB
    if free < gib:
        raise ClusterError(
            f"{purpose} needs about {gib:.0f} GiB of free disk under {place}, and {free:.1f} GiB are free. "
            "Free some, or set SLIPWAY_CACHE to a folder on a larger disk."
        )


def _existing(place: Path) -> Path:
    return next(folder for folder in (place, *place.parents) if folder.exists())
