"""How many processors this container really has.

onnxruntime's own default is the host's cores: with a quota of two on a node of 64, its threads
would take turns at being throttled. Reads cgroup files and the affinity mask, nothing else.
"""

import math
import os
import pathlib

_CGROUP = pathlib.Path("/sys/fs/cgroup")


def available() -> int:
    """Whole processors that this process may keep busy, at least one."""
    return combine(quota(_CGROUP), affinity=len(os.sched_getaffinity(0)))


def combine(quota: float | None, *, affinity: int) -> int:
    """The smaller of both. A quota is rounded down: a fraction of a core only slows its thread's mates."""
    limit = affinity if quota is None else min(affinity, math.floor(quota))
    return max(1, limit)


def quota(root: pathlib.Path) -> float | None:
    """Processors allowed by cgroup v2 (`cpu.max`) or v1 (`cpu/cpu.cfs_*`) under `root`; None is no limit."""
    try:
        limit, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        limit, period = _version_1(root / "cpu")
    if limit in ("max", "-1"):
        return None
    return int(limit) / int(period)


def _version_1(directory: pathlib.Path) -> tuple[str, str]:
    try:
        limit = (directory / "cpu.cfs_quota_us").read_text().strip()
        return limit, (directory / "cpu.cfs_period_us").read_text().strip()
    except OSError:
        return "max", "1"
