"""Whether a model fits into the container, and how much of it is really in use."""

import pathlib

import pytest

from slipway_runtime.versions import memory

MIB = 1 << 20


def _write(root: pathlib.Path, **files: str) -> pathlib.Path:
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        (root / name.replace("__", ".")).write_text(content)
    return root


def test_the_pages_of_files_are_not_in_use(tmp_path: pathlib.Path) -> None:
    statistics = f"anon {70 * MIB}\nactive_file {20 * MIB}\ninactive_file {10 * MIB}\n"
    root = _write(
        tmp_path, memory__max=f"{512 * MIB}\n", memory__current=f"{100 * MIB}\n", memory__stat=statistics
    )

    assert memory.read(root) == memory.Memory(limit=512 * MIB, used=70 * MIB)


def test_a_cgroup_of_version_1_is_read_too(tmp_path: pathlib.Path) -> None:
    _write(
        tmp_path / "memory",
        memory__limit_in_bytes=f"{512 * MIB}\n",
        memory__usage_in_bytes=f"{100 * MIB}\n",
        memory__stat=f"total_active_file {20 * MIB}\ntotal_inactive_file {10 * MIB}\n",
    )

    assert memory.read(tmp_path) == memory.Memory(limit=512 * MIB, used=70 * MIB)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"memory__max": "max\n", "memory__current": "1\n", "memory__stat": ""},
        {"memory__max": "what\n"},
    ],
    ids=["no cgroup", "no limit", "not a number"],
)
def test_where_nothing_limits_it_nothing_is_refused(tmp_path: pathlib.Path, files: dict[str, str]) -> None:
    assert memory.read(_write(tmp_path, **files)) is None


@pytest.mark.parametrize(
    ("used", "file", "fits"),
    [(100, 100, True), (248, 100, True), (249, 100, False), (0, 225, False)],
    ids=["half empty", "to the last byte", "a little too much", "larger than the container"],
)
def test_a_model_needs_twice_its_files_and_some_room(used: int, file: int, *, fits: bool) -> None:
    shortage = memory.Memory(limit=512 * MIB, used=used * MIB).shortage(file * MIB)

    assert (shortage == "") is fits
    if not fits:
        assert "the container's limit is 512 MiB: raise resources.limits.memory" in shortage


def test_the_memory_of_this_process_is_known_and_can_be_given_back() -> None:
    before = memory.anonymous_bytes()
    memory.give_back()

    assert 10 * MIB < memory.anonymous_bytes() <= before + MIB
