"""What a run was made on, in words: a figure means nothing without it."""

import datetime
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from bench.runtime import paths

_PACKAGES = ("onnxruntime", "tokenizers", "numpy")


def describe() -> dict[str, str]:
    """Facts by name, none of which names the machine itself."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.1f} when the run began",
        **{name: metadata.version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    """The commit, with a + when the runtime differs from it."""
    head = _git("rev-parse", "--short=10", "HEAD")
    return head + ("+" if _git("status", "--porcelain", "--", "runtime") else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=paths.ROOT, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()
