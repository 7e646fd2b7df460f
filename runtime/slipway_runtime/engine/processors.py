"""How many processors this container really has.

onnxruntime's own default is the host's cores: with a quota of two on a node of 64, its threads
would take turns at being throttled. Reads cgroup files and the affinity mask, nothing else.
"""

import math
import os
import pathlib
from collections.abc import Iterator

_CGROUP = pathlib.Path("/sys/fs/cgroup")
_MEMBERSHIP = pathlib.Path("/proc/self/cgroup")


def available() -> int:
    """Whole processors that this process may keep busy, at least one."""
    try:
        membership = _MEMBERSHIP.read_text()
    except OSError:
        membership = ""
    return combine(quota(_CGROUP, membership), affinity=len(os.sched_getaffinity(0)))


def combine(quota: float | None, *, affinity: int) -> int:
    """The smaller of both. A quota is rounded down: a fraction of a core only slows its thread's mates."""
    limit = affinity if quota is None else min(affinity, math.floor(quota))
    return max(1, limit)


def quota(root: pathlib.Path, membership: str = "") -> float | None:
    """Processors allowed by the cgroups of a process, its own and those above; None is no limit.

    `root` is where cgroups are mounted, version 2 (`cpu.max`) or 1 (`cpu/cpu.cfs_*`); `membership`
    is what /proc/self/cgroup says. In a container it usually says "/", and the files lie at the root.
    """
    limits = [limit for group in _groups(root, membership) if (limit := _limit(group)) is not None]
    return min(limits, default=None)


def _groups(root: pathlib.Path, membership: str) -> Iterator[pathlib.Path]:
    """The groups that may limit processors. A path that is not mounted here is passed over."""
    tops = {"": root, "cpu": root / "cpu", "cpu,cpuacct": root / "cpu"}
    yield from (root, root / "cpu")
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        top = tops.get(controllers)
        while top is not None and path.strip("/"):
            yield top / path.strip("/")
            path = path.rpartition("/")[0]


def _limit(group: pathlib.Path) -> float | None:
    try:
        limit, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        limit, period = _version_1(group)
    if limit in ("max", "-1"):
        return None
    return int(limit) / int(period)


def _version_1(group: pathlib.Path) -> tuple[str, str]:
    try:
        limit = (group / "cpu.cfs_quota_us").read_text().strip()
        return limit, (group / "cpu.cfs_period_us").read_text().strip()
    except OSError:
        return "max", "1"
