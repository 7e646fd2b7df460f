"""An image is named for what goes into it, and holds nothing else."""

import fnmatch
import json
import os
import tarfile
from pathlib import Path
from typing import IO

import pytest

from tests.cluster import archive, base_image, buildah, images, paths

DOCKERFILE = """
ARG PYTHON=base
FROM ${PYTHON} AS dependencies
COPY requirements/x.lock /requirements/
FROM ${PYTHON}
COPY --from=dependencies /opt /opt
COPY app /opt/app
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "x.lock").write_text("x==1\n")
    (tmp_path / "app" / "__pycache__").mkdir(parents=True)
    (tmp_path / "app" / "main.py").write_text("print(1)\n")
    (tmp_path / "app" / "__pycache__" / "main.pyc").write_bytes(b"compiled")
    (tmp_path / "README.md").write_text("# x\n")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def test_the_sources_are_what_the_dockerfile_copies(project: Path) -> None:
    found = images.sources(project / "Dockerfile", project)
    assert [str(file.relative_to(project)) for file in found] == ["app/main.py", "requirements/x.lock"]


@pytest.mark.parametrize("changed", ["app/main.py", "requirements/x.lock", "Dockerfile", "app/new.py"])
def test_a_change_of_what_goes_in_is_another_image(project: Path, changed: str) -> None:
    before = images.key(project / "Dockerfile", project)
    with (project / changed).open("a") as file:
        file.write("# changed\n")
    assert images.key(project / "Dockerfile", project) != before


@pytest.mark.parametrize("changed", ["README.md", "app/__pycache__/main.pyc"])
def test_a_change_of_anything_else_is_the_same_image(project: Path, changed: str) -> None:
    before = images.key(project / "Dockerfile", project)
    (project / changed).write_text("changed")
    assert images.key(project / "Dockerfile", project) == before


@pytest.mark.parametrize("dockerfile", images.DOCKERFILES.values())
def test_what_a_dockerfile_copies_is_let_through_to_a_docker_engine(dockerfile: str) -> None:
    lines = (paths.ROOT / ".dockerignore").read_text().splitlines()
    let_through = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for file in images.sources(paths.ROOT / dockerfile, paths.ROOT):
        name = str(file.relative_to(paths.ROOT))
        assert any(fnmatch.fnmatch(name, one) or name.startswith(f"{one}/") for one in let_through), name


@pytest.mark.parametrize("dockerfile", images.DOCKERFILES.values())
def test_every_dockerfile_stands_on_the_base_that_the_stand_in_replaces(dockerfile: str) -> None:
    assert f"ARG PYTHON={base_image.REFERENCE}\n" in (paths.ROOT / dockerfile).read_text()


@pytest.mark.parametrize("dockerfile", images.DOCKERFILES.values())
def test_every_image_runs_as_a_user_without_rights(dockerfile: str) -> None:
    last_stage = (paths.ROOT / dockerfile).read_text().rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last_stage
    assert '\nENTRYPOINT ["' in last_stage, "a shell as process 1 passes no signal on"


def test_of_each_image_the_last_three_archives_are_kept(tmp_path: Path) -> None:
    for age in range(5):
        file = tmp_path / f"runtime-{age}.tar"
        file.touch()
        os.utime(file, (age, age))
    (tmp_path / "runtime-tools-0.tar").touch()
    images.drop_old("runtime", tmp_path)
    left = sorted(file.name for file in tmp_path.iterdir())
    assert left == ["runtime-2.tar", "runtime-3.tar", "runtime-4.tar", "runtime-tools-0.tar"]


def test_a_static_image_holds_its_program_and_nothing_else(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    target = tmp_path / "image.tar"
    archive.write(target, reference="x/y:1", files={"/bin/program": program}, entrypoint=["/bin/program"])
    with tarfile.open(target) as image:
        (manifest,) = json.load(_open(image, "manifest.json"))
        config = json.load(_open(image, manifest["Config"]))
        with tarfile.open(fileobj=_open(image, "layer.tar")) as layer:
            files = {member.name: member.mode for member in layer.getmembers()}
    assert manifest["RepoTags"] == ["x/y:1"]
    assert config["config"] == {"Entrypoint": ["/bin/program"], "User": "65532:65532", "WorkingDir": "/"}
    assert files == {"bin/program": 0o755}


def test_a_static_image_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    for name in ("one.tar", "two.tar"):
        archive.write(tmp_path / name, reference="x/y:1", files={"/p": program}, entrypoint=["/p"])
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def _open(image: tarfile.TarFile, name: str) -> IO[bytes]:
    found = image.extractfile(name)
    assert found is not None
    return found


@pytest.mark.usefixtures("stack")  # after it the builder is installed, if it is needed here at all
def test_a_build_that_was_cut_short_leaves_nothing_that_the_next_one_stumbles_over(tmp_path: Path) -> None:
    if not buildah.installed():
        pytest.skip("images are built by a Docker engine here")
    store = buildah.Store(tmp_path / "store")
    store.run("from", "scratch")
    assert store.run("containers", "--all", "--quiet").strip()

    buildah.sweep(store)
    buildah.prune(store)

    assert not store.run("containers", "--all", "--quiet").strip()
