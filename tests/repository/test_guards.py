"""Traps of this tree: each of these has a reason why nothing else would notice."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SOURCES = os.pathsep.join(str(ROOT / folder) for folder in ("operator", "runtime"))
_LOCKS = sorted((ROOT / "requirements").glob("*.lock"))

# Spelt in two halves, so that this file does not find itself.
_INDEXES = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "proxy.golang" + ".org")
_REGISTRIES = ("registry" + ".k8s.io", "ghcr" + ".io", "quay" + ".io", "gcr" + ".io", "docker" + ".com")


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_the_operators_folder_is_no_package() -> None:
    """With an __init__.py it would hide the standard library's `operator` from whatever runs at the root."""
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize("code", ["import operator; operator.itemgetter", "import collections"])
def test_the_standard_library_is_found_from_the_root(code: str) -> None:
    done = _python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["operator/slipway_operator", "runtime/slipway_runtime"])
def test_no_module_at_the_top_of_a_package_is_named_like_one_of_the_standard_library(package: str) -> None:
    names = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__", "__main__"}
    assert not names & sys.stdlib_module_names


def test_no_tracked_file_names_a_host_that_packages_or_images_are_fetched_from() -> None:
    """Where things come from is a setting of each machine: pip, Go and the image builder know it."""
    hosts = re.compile("|".join(re.escape(host) for host in (*_INDEXES, *_REGISTRIES)).encode())
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in _tracked()
        if path.suffix != ".sum" and (match := hosts.search(path.read_bytes()))
    ]
    assert found == []


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_file_carries_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links)\b", text, re.MULTILINE)
    assert "--hash=sha256:" in text


def test_the_layers_point_down() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": _SOURCES},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_of_the_operator_is_longer_than_a_person_reads_at_once() -> None:
    modules = (ROOT / "operator" / "slipway_operator").rglob("*.py")
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules}
    assert {name: lines for name, lines in lengths.items() if lines > 250} == {}
