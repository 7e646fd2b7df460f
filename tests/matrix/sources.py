"""Which state of the sources a result is about. Must not know what is done with it."""

import hashlib
import subprocess
from pathlib import Path


def key(root: Path) -> str:
    """The commit, and a digest of what differs from it; "unknown" where there is no repository."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD").strip()
    changes = _git(root, "diff", "HEAD")
    if not commit:
        return "unknown"
    return f"{commit}-{hashlib.sha256(changes.encode()).hexdigest()[:8]}" if changes else commit


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""
