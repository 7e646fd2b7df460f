"""The two manifests that the demo applies: the examples', with waits that are short enough to be watched.

They are written to files, so that the command shown to the person is the command that is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.cluster import paths

NAMESPACE = "default"
NAME = "sentiment"
FIRST, SECOND = "1", "2"
LABEL = "slipway.dev/demo"
ROLLOUT = {"minReadySeconds": 3, "bakeSeconds": 3, "keepWarmSeconds": 3}


def write(folder: Path, root: Path = paths.ROOT) -> dict[str, Path]:
    """Write the manifest of each version into the folder; version -> file."""
    folder.mkdir(parents=True, exist_ok=True)
    return {version: _write(folder, root, version) for version in (FIRST, SECOND)}


def derived(example: dict[str, Any]) -> dict[str, Any]:
    """The example as the demo applies it."""
    metadata = {**example["metadata"], "namespace": NAMESPACE, "labels": {LABEL: "true"}}
    rollout = {**example["spec"].get("rollout", {}), **ROLLOUT}
    return {**example, "metadata": metadata, "spec": {**example["spec"], "rollout": rollout}}


def _write(folder: Path, root: Path, version: str) -> Path:
    example = f"examples/inferencemodels/{NAME}-v{version}.yaml"
    manifest = yaml.safe_dump(derived(yaml.safe_load((root / example).read_text())), sort_keys=False)
    file = folder / f"{NAME}-v{version}.yaml"
    file.write_text(f"# {example}, with waits that are short enough to be watched.\n{manifest}")
    return file
