"""The manifests that are shown to users are valid, and hold no field that would be dropped."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway_operator.api import model
from tests.contract import cel, crd

_MANIFESTS = sorted((crd.ROOT / "examples" / "inferencemodels").glob("*.yaml"))


def _read(path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(path.read_text())
    return manifest


def test_there_are_manifests() -> None:
    assert {"sentiment-v1.yaml", "sentiment-v2.yaml"} <= {path.name for path in _MANIFESTS}


@pytest.mark.parametrize("path", _MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_is_valid(path: Path) -> None:
    manifest = _read(path)
    assert cel.broken(manifest) == []
    assert list(crd.unknown(crd.schema()["properties"]["spec"], manifest["spec"])) == []
    stored = manifest | {"metadata": {"namespace": "default", "uid": "5f0c"} | manifest["metadata"]}
    assert model.InferenceModel.parse(stored).spec.version == manifest["spec"]["version"]


def test_the_second_version_is_applied_over_the_first() -> None:
    first, second = (_read(crd.ROOT / f"examples/inferencemodels/sentiment-v{n}.yaml") for n in (1, 2))
    assert first["metadata"] == second["metadata"]
    assert first["spec"]["version"] != second["spec"]["version"]
