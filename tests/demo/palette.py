"""The colours of the demo, which mean the same wherever they stand."""

from __future__ import annotations

from collections.abc import Sequence

FAILED = "#e5484d"
GOOD = "#2f9e5b"
QUIET = "#8b949e"
EMPTY = "#21262d"
# Blue and orange: apart for most eyes that see few colours.
VERSIONS = ("#4c9be8", "#f2a33a", "#b48ead", "#6fc1b6")


def of_version(version: str, versions: Sequence[str]) -> str:
    """The colour of a version among all that are shown."""
    known = sorted({*versions, version})
    return VERSIONS[known.index(version) % len(VERSIONS)]
