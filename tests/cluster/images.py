"""The project's own images as docker-archives in the cache, each built once for what goes into it.

The tag is a hash of the Dockerfile and of all that it copies, so that a changed source is another image
and an unchanged one is never built again. Must not know any cluster.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.cluster import archive, base_image, buildah, disk, docker_build, locks, paths, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.stages import stage

DOCKERFILES = {
    "runtime": "Dockerfile.runtime",
    "operator": "Dockerfile.operator",
    "ledger": "tests/ledger/Dockerfile",
}
STATIC = {"s3": "versitygw"}
REGISTRY = "slipway.local"
KEPT_ARCHIVES = 3
AT_ONCE = 2
_COPY = re.compile(r"^COPY (?!--from)(?P<words>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Built:
    """An image that can be loaded: its full name, and the docker-archive that holds it."""

    reference: str
    archive: Path


class Builder(Protocol):
    """Turns a Dockerfile into a docker-archive."""

    def __call__(
        self, *, dockerfile: Path, context: Path, reference: str, archive: Path, log: Path
    ) -> None: ...


def ensure(names: Iterable[str] = (*DOCKERFILES, *STATIC), *, root: Path = paths.ROOT) -> dict[str, Built]:
    """All these images; what the cache lacks is built. Raises ClusterError when that fails."""
    images = {name: _image(name, root) for name in names}
    missing = [name for name, image in images.items() if not image.archive.is_file()]
    for name in missing:
        if name in STATIC:
            _build_static(name, images[name])
    _build_dockerfiles({name: images[name] for name in missing if name in DOCKERFILES}, root)
    for name, image in images.items():
        os.utime(image.archive)
        drop_old(name, image.archive.parent)
    return images


def sources(dockerfile: Path, root: Path) -> list[Path]:
    """The files that a Dockerfile copies from the project, in a fixed order, without Python's own caches."""
    named = [word for match in _COPY.finditer(dockerfile.read_text()) for word in match["words"].split()[:-1]]
    found = [file for name in named for file in _files(root / name)]
    return sorted(file for file in set(found) if "__pycache__" not in file.parts and file.suffix != ".pyc")


def _files(place: Path) -> list[Path]:
    if not place.exists():
        raise ClusterError(f"A Dockerfile copies {place}, and there is no such file.")
    return [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]


def _image(name: str, root: Path) -> Built:
    tag = _static_key(name) if name in STATIC else key(root / DOCKERFILES[name], root)
    return Built(f"{REGISTRY}/{name}:{tag}", paths.cache() / "images" / f"{name}-{tag}.tar")


def key(dockerfile: Path, root: Path) -> str:
    """What the image is named for: its Dockerfile, all that it copies, and the base."""
    digest = hashlib.sha256(base_image.KEY.encode())
    for file in [dockerfile, *sources(dockerfile, root)]:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def _static_key(name: str) -> str:
    return hashlib.sha256(toolchain.binary(STATIC[name]).read_bytes()).hexdigest()[:12]


def _build_static(name: str, image: Built) -> None:
    program = toolchain.binary(STATIC[name])
    with stage(f"image {image.reference}", kind="build"), _appearing(image.archive) as target:
        inside = f"/{program.name}"
        archive.write(target, reference=image.reference, files={inside: program}, entrypoint=[inside])


def _build_dockerfiles(images: dict[str, Built], root: Path) -> None:
    if not images:
        return
    disk.require(paths.cache(), 4, f"Building the images {', '.join(images)}")
    with _builder() as build, ThreadPoolExecutor(AT_ONCE) as pool:
        for job in [pool.submit(_build, build, name, image, root) for name, image in images.items()]:
            job.result()


def _build(build: Builder, name: str, image: Built, root: Path) -> None:
    log = _log(name)
    with stage(f"image {image.reference}", kind="build"), _appearing(image.archive) as target:
        dockerfile = root / DOCKERFILES[name]
        build(dockerfile=dockerfile, context=root, reference=image.reference, archive=target, log=log)


@contextmanager
def _builder() -> Iterator[Builder]:
    if docker_build.usable():
        yield docker_build.build
        return
    if not buildah.installed():
        raise ClusterError(
            "Building images needs a Docker engine, or on Debian: apt-get install buildah crun debootstrap"
        )
    store = buildah.Store(paths.cache() / "containers")
    with locks.alone("images"):
        buildah.sweep(store)
        try:
            base_image.ensure(store, _log("base"))
            yield partial(buildah.build, store)
            buildah.prune(store)
        finally:
            store.close()


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A path to write to; only what is finished gets the name that is looked for."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


def drop_old(name: str, folder: Path) -> None:
    """Keep the archives of an image that were used last."""
    archives = [file for file in folder.glob(f"{name}-*.tar") if file.stem.rpartition("-")[0] == name]
    for file in sorted(archives, key=lambda file: file.stat().st_mtime)[:-KEPT_ARCHIVES]:
        file.unlink(missing_ok=True)


def _log(name: str) -> Path:
    log = paths.cache() / "log" / f"image-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    return log
