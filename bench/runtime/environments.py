"""A virtual environment for each server, made of its lock file and named after it.

Lies in the cache, so that it is made once; appears whole or not at all.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from bench.runtime import paths


class NoEnvironmentError(Exception):
    """pip could not make an environment."""


def python(name: str, lock: Path) -> Path:
    """The interpreter of `name`'s environment, which is made first when it is missing (minutes)."""
    folder = _folder(name, lock)
    if not (folder / ".complete").exists():
        _make(folder, lock)
    return folder / "bin" / "python"


def exists(name: str, lock: Path) -> bool:
    return (_folder(name, lock) / ".complete").exists()


def _folder(name: str, lock: Path) -> Path:
    return paths.cache() / "venvs" / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:10]}"


def _make(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", "--require-hashes", "-r", str(lock)])
    (folder / ".complete").touch()


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=1800)
    if done.returncode != 0:
        raise NoEnvironmentError(f"{argv[0]}: {' '.join(done.stderr.split()[-60:])}")
