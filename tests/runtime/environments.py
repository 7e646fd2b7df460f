"""Virtual environments of their own, for stock programs whose dependencies do not go with ours.

Each is named after its lock file beside this module, made once for all clones, and never changed:
another lock is another environment. Knows no program.
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys

from tests.cluster import paths

_LOCKS = pathlib.Path(__file__).parent
_COMPLETE = ".complete"
_PATIENCE = 900.0


def environment(name: str) -> pathlib.Path:
    """The python of the environment `name`, made from `<name>.lock` when it is not there yet.

    Raises subprocess.CalledProcessError when a package cannot be had.
    """
    lock = _LOCKS / f"{name}.lock"
    digest = hashlib.sha256(f"{sys.version}\n".encode() + lock.read_bytes()).hexdigest()[:12]
    directory = paths.cache() / "venvs" / f"{name}-{digest}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two test runs must not make it at once
        if not (directory / _COMPLETE).exists():
            _make(directory, lock)
    return directory / "bin" / "python"


def _make(directory: pathlib.Path, lock: pathlib.Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)  # what an interrupted run left
    python = directory / "bin" / "python"
    _run(sys.executable, "-m", "venv", str(directory))
    _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(lock))
    (directory / _COMPLETE).touch()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE)
