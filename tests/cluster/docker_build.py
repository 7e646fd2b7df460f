"""Builds Dockerfiles with a Docker engine, where there is one.

Must not know which images there are.
"""

import shutil
from pathlib import Path

from tests.cluster import commands

BUILD_SECONDS = 1800


def usable() -> bool:
    """Whether a Docker engine answers; a `docker` command alone builds nothing."""
    return shutil.which("docker") is not None and commands.attempt(["docker", "info"]).returncode == 0


def build(*, dockerfile: Path, context: Path, reference: str, archive: Path, log: Path) -> None:
    """Build `dockerfile` and write it to `archive` under the name `reference`."""
    argv: list[str | Path] = ["docker", "build", "--file", dockerfile, "--tag", reference, context]
    log.write_text(commands.run(argv, timeout=BUILD_SECONDS))
    commands.run(["docker", "save", "--output", archive, reference], timeout=BUILD_SECONDS)
