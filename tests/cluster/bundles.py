"""The example model's bundles, made once for the sources that make them.

Must not know what is in a bundle, nor where it goes.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.cluster import commands, paths
from tests.cluster.errors import ClusterError
from tests.cluster.stages import stage

MODEL = "sentiment"
MANIFEST = "slipway.yaml"
VERSIONS = ("1", "2")


def ensure(root: Path = paths.ROOT) -> dict[str, Path]:
    """The bundle's folder for each version of the example model."""
    folder = paths.cache() / "models" / _key(root / "examples" / "models")
    if not folder.is_dir():
        with stage(f"example model: versions {' and '.join(VERSIONS)}", kind="build"):
            _make(folder, root)
    return _found(folder)


def digest(bundle: Path) -> str:
    """What `source.sha256` pins the bundle by."""
    return hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()


def _key(sources: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(file for file in sources.rglob("*") if file.is_file() and file.suffix != ".pyc"):
        digest.update(f"{file.relative_to(sources)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _make(folder: Path, root: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as name:
        output = Path(name) / "models"
        commands.run([sys.executable, "-m", "examples.models", "--output", output], cwd=root, timeout=900)
        _found(output)
        # Only what is whole gets the name that is looked for.
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(output, folder)


def _found(folder: Path) -> dict[str, Path]:
    bundles = {manifest.parent.name: manifest.parent for manifest in folder.rglob(MANIFEST)}
    if bundles.keys() != set(VERSIONS):
        raise ClusterError(
            f"{folder} holds the versions {sorted(bundles)} of the model, not {list(VERSIONS)}."
        )
    return bundles
