"""A models file as the kubelet mounts it: its whole folder changes at once, by one symbolic link."""

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import yaml

from tests.runtime import processes
from tests.runtime.processes import RuntimeProcess

NAME = "models.yaml"


class ModelsFile:
    """`path` is what SLIPWAY_MODELS_FILE names; it always leads to one whole content."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        self._count = 0
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / NAME
        self.path.symlink_to(f"..data/{NAME}")

    def write(self, *models: dict[str, Any]) -> None:
        self.write_text(yaml.safe_dump({"models": list(models)}, sort_keys=False))

    def write_text(self, text: str) -> None:
        self._count += 1
        content = self._directory / f"..{self._count}"
        content.mkdir()
        (content / NAME).write_text(text)
        link = self._directory / "..data_tmp"
        link.symlink_to(content.name)
        os.replace(link, self._directory / "..data")


def model(bundle: pathlib.Path, version: str, *, name: str = "sentiment", **more: Any) -> dict[str, Any]:
    """One entry."""
    return {"name": name, "version": version, "uri": bundle.as_uri(), **more}


@contextlib.contextmanager
def serving(directory: pathlib.Path, file: ModelsFile, **environment: str) -> Iterator[RuntimeProcess]:
    """A ready process that reads `file` ten times a second and tries again at once."""
    quick = {"SLIPWAY_MODELS_POLL_SECONDS": "0.1", "SLIPWAY_MODELS_RETRY_SECONDS": "0.3"}
    with processes.starting(
        directory, SLIPWAY_MODELS_FILE=str(file.path), **{**quick, **environment}
    ) as process:
        process.wait_until_ready()
        yield process
