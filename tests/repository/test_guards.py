"""Traps of this tree: each of these has a reason why nothing else would notice."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SOURCES = os.pathsep.join(str(ROOT / folder) for folder in ("operator", "runtime"))
_LOCKS = sorted((ROOT / "requirements").glob("*.lock"))

# The sha256 and the length of each host that packages or images are fetched from: no file names one.
_HOSTS = {
    "a4aa2ac280bb8d1a0ce7a1be5a7bfb10292b49fe9435ad5cff19f421f3c70e41": 8,
    "8b5bb5eb9d758455b8635855cf8aaf05b68775e3f83f0291e800ef338fb9783c": 16,
    "8743857e3ea00fd1c64bbc68b8af241954ad2c285e7a60340eec7ea5dcb200db": 9,
    "00a7dc5a0cc388586b8665846e7d8ae94a6dd096f2aa1aa3b4aab4ac484f998a": 16,
    "bd048f6f965d0e9ccdcdb603d0c8c2ae3d2f3e25e5e7a2349a1532bcc73aaf6f": 15,
    "0fd460f0568e29c129d5164443c22dc23e1fa5ade91d6cc915a0c74ce08fba57": 7,
    "271dacc9f4d0caf8ff708d7751532df465f1b6bf192cc169e6afc639faed6894": 7,
    "70cca582c4895337b234bb640fa2c13c72816d8ea4f6d8f679607a2e9c414ccb": 6,
    "26b9cccfe247fdbad310d5b6fa03f8f0103cfdb8f43fc646b0d542ca3f17bf53": 10,
}
_LAST_LABEL = re.compile(rb"[.](?:org|io|com)")


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def _hosts_in(text: bytes) -> list[str]:
    ends = [match.end() for match in _LAST_LABEL.finditer(text)]
    lengths = set(_HOSTS.values())
    words = {text[end - length : end] for end in ends for length in lengths if length <= end}
    return sorted(word.decode() for word in words if hashlib.sha256(word).hexdigest() in _HOSTS)


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
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in _tracked()
        if path.suffix != ".sum"
        for host in _hosts_in(path.read_bytes())
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
