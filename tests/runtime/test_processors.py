"""How many threads a container gets: its quota, read from files as the kernel writes them."""

import pathlib
from dataclasses import dataclass

import pytest

from slipway_runtime.engine import processors


@dataclass(frozen=True, slots=True)
class Case:
    """Files under the mount of the cgroups, what /proc/self/cgroup says, and the quota."""

    files: dict[str, str]
    expected: float | None
    membership: str = "0::/\n"


def _v1(folder: str, quota: int) -> dict[str, str]:
    return {f"{folder}/cpu.cfs_quota_us": f"{quota}\n", f"{folder}/cpu.cfs_period_us": "100000\n"}


POD = "/kubepods.slice/pod1.slice/container1.scope"
CASES = {
    "version 2": Case({"cpu.max": "200000 100000\n"}, 2.0),
    "version 2, no limit": Case({"cpu.max": "max 100000\n"}, None),
    "version 2, the process in a group below": Case(
        {"cpu.max": "max 100000\n", f"{POD[1:]}/cpu.max": "150000 100000\n"}, 1.5, f"0::{POD}\n"
    ),
    "version 2, the group above is the tighter one": Case(
        {"kubepods.slice/pod1.slice/cpu.max": "300000 100000\n", f"{POD[1:]}/cpu.max": "max 100000\n"},
        3.0,
        f"0::{POD}\n",
    ),
    "version 2, a path of the host that is not mounted here": Case(
        {"cpu.max": "400000 100000\n"}, 4.0, f"0::/../../other{POD}\n"
    ),
    "version 1": Case(_v1("cpu", 350_000), 3.5, "4:cpu,cpuacct:/\n1:name=systemd:/\n"),
    "version 1, no limit": Case(_v1("cpu", -1), None, "4:cpu,cpuacct:/\n"),
    "version 1, the process in a group below": Case(
        _v1("cpu", -1) | _v1(f"cpu{POD}", 50_000), 0.5, f"9:memory:{POD}\n4:cpu,cpuacct:{POD}\n"
    ),
    "no cgroup": Case({}, None, ""),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_quota_is_read_as_the_kernel_writes_it(tmp_path: pathlib.Path, case: Case) -> None:
    for name, text in case.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert processors.quota(tmp_path, case.membership) == case.expected


@pytest.mark.parametrize(
    ("quota", "affinity", "expected"),
    [(None, 8, 8), (2.0, 8, 2), (2.9, 8, 2), (0.5, 8, 1), (16.0, 4, 4)],
)
def test_the_smaller_of_quota_and_affinity_counts_and_never_less_than_one(
    quota: float | None, affinity: int, expected: int
) -> None:
    assert processors.combine(quota, affinity=affinity) == expected


def test_this_machine_has_at_least_one() -> None:
    assert processors.available() >= 1
