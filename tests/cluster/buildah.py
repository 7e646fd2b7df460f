"""Builds Dockerfiles without a Docker engine: Debian's buildah, on an image store of its own.

Must not know which images there are.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import commands, pip_settings
from tests.cluster.errors import ClusterError


@dataclass(frozen=True, slots=True)
class Store:
    """Images and layers between builds. One process at a time uses it."""

    folder: Path

    def run(self, *arguments: str | Path, log: Path | None = None) -> str:
        """Standard output of buildah; ClusterError with its last words when it fails."""
        argv = self._argv(*arguments)
        if log is None:
            return commands.run(argv, env=self._environment(), timeout=600)
        with log.open("a") as lines:
            _logged(argv, self._environment(), lines.fileno(), log)
        return ""

    def has(self, reference: str) -> bool:
        """Whether an image of that name is there."""
        done = commands.attempt(self._argv("images", "-q", reference), env=self._environment())
        return done.returncode == 0 and bool(done.stdout.strip())

    def names(self) -> list[str]:
        """The full names of all images that have one."""
        lines = self.run("images", "--noheading", "--format", "{{.Name}}:{{.Tag}}").split()
        return [line for line in lines if "<none>" not in line]

    def close(self) -> None:
        """Leave no mount behind; also after a build that was cut short."""
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        places = [line.split()[1] for line in mounts]
        for place in sorted((place for place in places if place.startswith(f"{self.folder}/")), reverse=True):
            commands.attempt(["umount", "--lazy", place])

    def _argv(self, *arguments: str | Path) -> list[str | Path]:
        return ["buildah", "--root", self.folder / "root", "--runroot", self.folder / "run", *arguments]

    def _environment(self) -> dict[str, str]:
        scratch = self.folder / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        return os.environ | {
            "STORAGE_DRIVER": "overlay",
            "BUILDAH_ISOLATION": "chroot",
            "TMPDIR": str(scratch),
        }


def build(store: Store, *, dockerfile: Path, context: Path, reference: str, archive: Path, log: Path) -> None:
    """Build `dockerfile` and write it to `archive` under the name `reference`.

    The stage `dependencies` keeps a name in the store, so that a change of the sources finds it again.
    """
    repository = reference.rpartition(":")[0]
    with pip_settings.volumes() as volumes:
        options: list[str | Path] = ["--pull=never", "--layers", *volumes, "--file", dockerfile]
        kept = f"{repository}-dependencies:latest"
        store.run("bud", *options, "--target", "dependencies", "--tag", kept, context, log=log)
        store.run("bud", *options, "--tag", reference, context, log=log)
    store.run("push", "--quiet", reference, f"docker-archive:{archive}:{reference}", log=log)
    for name in store.names():
        if name.startswith(f"{repository}:") and name != reference:
            store.run("rmi", name, log=log)


def sweep(store: Store) -> None:
    """Remove what a build that was cut short has left. Its containers would keep images from `prune`."""
    store.close()
    store.run("rm", "--all")


def prune(store: Store) -> None:
    """Drop the layers that no named image stands on."""
    store.run("rmi", "--prune")


def _logged(argv: Sequence[str | Path], environment: Mapping[str, str], output: int, log: Path) -> None:
    done = subprocess.run([str(word) for word in argv], env=environment, stdout=output, stderr=output)
    if done.returncode != 0:
        raise ClusterError(
            f"`{commands.display(argv)}` failed ({done.returncode}; all of its output: {log}):\n"
            f"{commands.tail(log.read_text(errors='replace'))}"
        )


def installed() -> bool:
    """Whether this machine can build in this way at all."""
    return all(
        shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
        for program in ("buildah", "debootstrap")
    )
