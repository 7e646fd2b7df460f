"""A stand-in for the Dockerfiles' base image where no registry can be reached: Debian with its own Python.

Made by debootstrap from the mirror that this machine's own apt uses. Must not know what is built on it.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster import commands
from tests.cluster.buildah import Store
from tests.cluster.errors import ClusterError
from tests.cluster.stages import stage

REFERENCE = "docker.io/library/python:3.11-slim-bookworm"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
# Of no use in a container, and half of the size.
SURPLUS = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
)
KEY = hashlib.sha256(" ".join([SUITE, PACKAGES, *SURPLUS]).encode()).hexdigest()[:12]
_KEPT = f"localhost/python-stand-in:{KEY}"


def ensure(store: Store, log: Path) -> None:
    """Have the stand-in in the store under the name of the real one."""
    if store.has(_KEPT):
        return
    building = stage("base image: Debian and Python, by debootstrap", kind="build")
    with building, tempfile.TemporaryDirectory(dir=store.folder) as folder:
        root = Path(folder) / "root"
        _debootstrap(root, log)
        _slim(root)
        _commit(store, root, log)


def _debootstrap(root: Path, log: Path) -> None:
    options = ["--variant=minbase", f"--include={PACKAGES}"]
    with log.open("a") as lines:
        done = subprocess.run(
            ["debootstrap", *options, SUITE, str(root), mirror()],
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
    if done.returncode != 0:
        raise ClusterError(
            f"debootstrap could not make a Debian {SUITE} (all of its output: {log}):\n"
            f"{commands.tail(log.read_text(errors='replace'))}"
        )


def mirror() -> str:
    """Where this machine's apt gets the suite from."""
    columns = "$(RELEASE) $(COMPONENT) $(REPO_URI)"
    listing = commands.run(["apt-get", "indextargets", "--format", columns, "Identifier: Packages"])
    for line in listing.splitlines():
        release, component, address = line.split(maxsplit=2)
        if (release, component) == (SUITE, "main"):
            return address
    raise ClusterError(
        f"apt on this machine knows no Debian {SUITE}: run `apt-get update`, or use a Docker engine."
    )


def _slim(root: Path) -> None:
    for place in SURPLUS:
        shutil.rmtree(root / place, ignore_errors=True)
        (root / place).mkdir(parents=True)


def _commit(store: Store, root: Path, log: Path) -> None:
    container = store.run("from", "scratch").strip()
    store.run("add", "--quiet", container, root, "/", log=log)
    store.run("config", "--cmd", "python3", container, log=log)
    store.run("commit", "--quiet", "--rm", container, _KEPT, log=log)
    store.run("tag", _KEPT, REFERENCE, log=log)
