"""Which state of the sources a result is about, and on what machine. Must not know what is done with it."""

import hashlib
import os
import platform
import subprocess
from pathlib import Path


def key(root: Path) -> str:
    """The commit, and a digest of what differs from it; "unknown" where there is no repository."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD").strip()
    changes = _git(root, "diff", "HEAD")
    if not commit:
        return "unknown"
    return f"{commit}-{hashlib.sha256(changes.encode()).hexdigest()[:8]}" if changes else commit


def machine() -> str:
    """The machine that the nodes share, in words that do not name it."""
    return f"{os.cpu_count()} processors, {platform.system()}"


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""
