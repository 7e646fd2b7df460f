"""The programs of the cluster, built from their own Go modules into the cache: `binary("kubectl")`.

Sources are pinned: Kubernetes and etcd by the go.mod and go.sum under go/, the rest by version. A build is
keyed by what it is built from and appears whole or not at all. Must not know what the programs are used for.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import commands, disk, paths
from tests.cluster.errors import ClusterError
from tests.cluster.stages import stage

MODULES = Path(__file__).parent / "go"
KUBERNETES = "1.35.4"
_MINOR = KUBERNETES.split(".")[1]
_STRIP = "-s -w"
_BASE = "k8s.io/component-base/version"
_STAMP = f"{_STRIP} -X {_BASE}.gitVersion=v{KUBERNETES} -X {_BASE}.gitMajor=1 -X {_BASE}.gitMinor={_MINOR}"


@dataclass(frozen=True, slots=True)
class Tool:
    """What one `go` command builds; without a module folder, the packages at `version` as published."""

    title: str
    version: str
    binaries: tuple[str, ...]
    packages: tuple[str, ...]
    gib: float
    module: Path | None = None
    flags: str = _STRIP

    @property
    def folder(self) -> Path:
        """Where the binaries are once they are built."""
        return paths.cache() / "bin" / f"{self.title}-{self.version}-{self._key()}"

    @property
    def built(self) -> bool:
        return all((self.folder / name).is_file() for name in self.binaries)

    def _key(self) -> str:
        digest = hashlib.sha256(" ".join([*self.packages, self.version, self.flags]).encode())
        if self.module is not None:
            for name in ("go.mod", "go.sum"):
                digest.update((self.module / name).read_bytes())
        return digest.hexdigest()[:10]


def _kubernetes(title: str, gib: float, *names: str) -> Tool:
    packages = tuple(f"k8s.io/kubernetes/cmd/{name}" for name in names)
    return Tool(title, KUBERNETES, names, packages, gib, MODULES / "kubernetes", _STAMP)


def _published(name: str, version: str, package: str, gib: float) -> Tool:
    return Tool(name, version, (name,), (package,), gib)


TOOLS = (
    _kubernetes(
        "kubernetes",
        9,
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
    ),
    _kubernetes("kubectl", 1, "kubectl"),
    Tool("etcd", "3.6.5", ("etcd",), ("go.etcd.io/etcd/server/v3",), 0.5, MODULES / "etcd"),
    _published("coredns", "v1.14.7", "github.com/coredns/coredns", 1.5),
    _published("versitygw", "v1.8.0", "github.com/versity/versitygw/cmd/versitygw", 1),
    _published("helm", "v3.22.0", "helm.sh/helm/v3/cmd/helm", 1),
)


def binary(name: str) -> Path:
    """The program, built first when the cache lacks it (minutes). ClusterError when that fails."""
    return binaries([name])[name]


def binaries(names: Iterable[str]) -> dict[str, Path]:
    """Several programs; one look at the disk for all that is missing, and one stage a build."""
    wanted = {name: _tool(name) for name in names}
    missing = [tool for tool in TOOLS if tool in wanted.values() and not tool.built]
    if missing:
        _check_go()
        disk.require(paths.cache(), sum(tool.gib for tool in missing), f"Building {_titles(missing)}")
    for tool in missing:
        _build(tool)
    return {name: tool.folder / name for name, tool in wanted.items()}


def installed_or_built(name: str) -> Path:
    """The program from the PATH, or else built: for a cluster that is not of our version anyway."""
    found = shutil.which(name)
    return Path(found) if found else binary(name)


def go() -> str | None:
    """The `go` command: on the PATH, or where Go's own installer puts it."""
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")


def _tool(name: str) -> Tool:
    for tool in TOOLS:
        if name in tool.binaries:
            return tool
    raise ClusterError(f"The toolchain builds no `{name}`; it builds {', '.join(_all_names())}.")


def _all_names() -> list[str]:
    return [name for tool in TOOLS for name in tool.binaries]


def _titles(tools: Iterable[Tool]) -> str:
    return ", ".join(f"{tool.title} {tool.version}" for tool in tools)


def _check_go() -> None:
    if go() is None:
        raise ClusterError("Go is not installed: it builds Kubernetes and the other programs of the cluster.")


def _build(tool: Tool) -> None:
    with _lock(tool):
        if tool.built:  # by another run, while this one waited for the lock
            return
        with stage(f"build {tool.title} {tool.version}", kind="build"):
            _build_into_place(tool)


def _build_into_place(tool: Tool) -> None:
    tool.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=tool.folder.parent) as name:
        output = Path(name) / "bin"
        output.mkdir()
        _go(tool, output)
        # Only a finished build gets the name that is looked for.
        shutil.rmtree(tool.folder, ignore_errors=True)
        output.rename(tool.folder)


def _go(tool: Tool, output: Path) -> None:
    log = paths.cache() / "log" / f"build-{tool.title}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = _environment() | {"GOBIN": str(output)}
    with log.open("w") as lines:
        done = subprocess.run(
            _argv(tool, output), cwd=tool.module, env=environment, stdout=lines, stderr=subprocess.STDOUT
        )
    if done.returncode != 0:
        raise ClusterError(
            f"Go could not build {tool.title} {tool.version} (all of its output: {log}):\n"
            f"{commands.tail(log.read_text(errors='replace'))}"
        )


def _argv(tool: Tool, output: Path) -> list[str]:
    options = ["-trimpath", "-ldflags", tool.flags]
    if tool.module is None:
        return [str(go()), "install", *options, *(f"{package}@{tool.version}" for package in tool.packages)]
    # One package may have a folder name that is not the program's.
    target = str(output / tool.binaries[0]) if len(tool.packages) == 1 else f"{output}/"
    return [str(go()), "build", *options, "-o", target, *tool.packages]


def _environment() -> dict[str, str]:
    cache = paths.cache() / "go"
    # The module cache is writable, so that `rm -r` removes it like any other cache.
    flags = f"{os.environ.get('GOFLAGS', '')} -modcacherw -buildvcs=false".strip()
    return os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": flags,
        "GOMODCACHE": str(cache / "mod"),
        "GOCACHE": str(cache / "build"),
    }


@contextmanager
def _lock(tool: Tool) -> Iterator[None]:
    file = paths.cache() / "lock" / f"{tool.title}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # the kernel lets go of it with the process
        yield
