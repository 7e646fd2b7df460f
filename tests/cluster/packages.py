"""Debian packages that local nodes need, installed when they are missing.

Must not know what runs on top of them.
"""

import os
import shutil

from tests.cluster import commands
from tests.cluster.stages import stage

NODES = (
    "containerd",
    "runc",
    "containernetworking-plugins",
    "iptables",
    "conntrack",
    "socat",
    "ethtool",
    "iproute2",
    "openssl",
    "busybox-static",
)
IMAGES = ("buildah", "crun", "debootstrap")


def install(names: tuple[str, ...] = NODES + IMAGES) -> None:
    """Install what is missing of them; nothing happens when all are there."""
    wanted = missing(names)
    if not wanted:
        return
    with stage(f"install Debian packages: {' '.join(wanted)}", kind="build"):
        apt = ["apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        # The lists in a fresh image are empty or old, and then no package is found.
        commands.run([*apt, "update"], timeout=600, env=environment)
        commands.run([*apt, "install", "--no-install-recommends", *wanted], timeout=1200, env=environment)


def missing(names: tuple[str, ...]) -> list[str]:
    """Those of the packages that dpkg does not know as installed."""
    form = "${db:Status-Abbrev}${Package}\n"
    known = commands.attempt(["dpkg-query", "-W", "-f", form, *names]).stdout.splitlines()
    installed = {line[3:].strip() for line in known if line.startswith("ii ")}
    return [name for name in names if name not in installed]


def available() -> bool:
    """Whether this machine has Debian's package tools."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-query"))
