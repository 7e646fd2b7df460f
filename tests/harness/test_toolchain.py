"""Programs are built once from pinned sources, and half a build never counts as one."""

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from tests.cluster import disk, paths, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.toolchain import MODULES, TOOLS, Tool


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """A small program, in a cache of its own that shares only Go's compiled packages."""
    if toolchain.go() is None:
        pytest.skip("Go is not installed")
    cache = tmp_path / "cache"
    cache.mkdir()
    (paths.cache() / "go").mkdir(parents=True, exist_ok=True)
    (cache / "go").symlink_to(paths.cache() / "go")
    monkeypatch.setenv("SLIPWAY_CACHE", str(cache))
    module = tmp_path / "hello"
    module.mkdir()
    (module / "go.mod").write_text("module example.test/hello\n\ngo 1.24\n")
    (module / "go.sum").write_text("")
    (module / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    return Tool("hello", "1", ("hello",), (".",), 0.1, module)


def test_a_program_is_built_once_and_runs(hello: Tool) -> None:
    toolchain._build(hello)
    program = hello.folder / "hello"
    assert subprocess.run([program], capture_output=True, text=True, check=True).stderr == "hello\n"
    built = program.stat().st_mtime_ns
    toolchain._build(hello)
    assert program.stat().st_mtime_ns == built


def test_a_failed_build_says_why_and_leaves_nothing_that_looks_built(hello: Tool) -> None:
    assert hello.module is not None
    (hello.module / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    with pytest.raises(ClusterError, match=r"could not build hello 1(.|\n)*undefined: nonsense"):
        toolchain._build(hello)
    assert not hello.built
    assert list(hello.folder.parent.iterdir()) == []


def test_half_a_build_is_built_again(hello: Tool) -> None:
    two = dataclasses.replace(hello, binaries=("hello", "other"))
    two.folder.mkdir(parents=True)
    (two.folder / "hello").touch()
    assert not two.built


def test_other_sources_or_flags_are_another_build(hello: Tool) -> None:
    assert hello.module is not None
    folders = {hello.folder, dataclasses.replace(hello, flags="-s").folder}
    (hello.module / "go.sum").write_text("changed")
    assert len(folders | {hello.folder}) == 3


def test_an_unknown_program_is_named_with_those_there_are() -> None:
    with pytest.raises(ClusterError, match=r"builds no `kubeadm`; it builds kube-apiserver, .*helm\."):
        toolchain.binary("kubeadm")


def test_every_program_has_one_source() -> None:
    names = [name for tool in TOOLS for name in tool.binaries]
    assert len(names) == len(set(names))


def test_the_module_pins_the_version_that_the_programs_are_stamped_with() -> None:
    pinned = re.search(r"k8s\.io/kubernetes v(\S+)", (MODULES / "kubernetes" / "go.mod").read_text())
    assert pinned is not None
    assert pinned[1] == toolchain.KUBERNETES


def test_too_small_a_disk_is_told_with_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"needs about 999999999 GiB .* GiB are free\. Free some"):
        disk.require(tmp_path / "not" / "there", 999_999_999, "Everything")
