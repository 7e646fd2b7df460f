"""How many threads a container gets: its quota, read from files as the kernel writes them."""

import pathlib

import pytest

from slipway_runtime.engine import processors

V2 = {"cpu.max": "200000 100000\n"}
V2_UNLIMITED = {"cpu.max": "max 100000\n"}
V1 = {"cpu/cpu.cfs_quota_us": "350000\n", "cpu/cpu.cfs_period_us": "100000\n"}
V1_UNLIMITED = {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [(V2, 2.0), (V2_UNLIMITED, None), (V1, 3.5), (V1_UNLIMITED, None), ({}, None)],
    ids=["version 2", "version 2, no limit", "version 1", "version 1, no limit", "no cgroup"],
)
def test_a_quota_is_read_as_the_kernel_writes_it(
    tmp_path: pathlib.Path, files: dict[str, str], expected: float | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert processors.quota(tmp_path) == expected


@pytest.mark.parametrize(
    ("quota", "affinity", "expected"),
    [(None, 8, 8), (2.0, 8, 2), (2.9, 8, 2), (0.5, 8, 1), (16.0, 4, 4)],
)
def test_the_smaller_of_quota_and_affinity_counts_and_never_less_than_one(
    quota: float | None, affinity: int, expected: int
) -> None:
    assert processors.combine(quota, affinity=affinity) == expected
