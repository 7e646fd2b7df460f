"""Writes an image of a few static programs as a docker-archive, without any builder.

Must not know which programs: it is for those that need nothing around them.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write(
    target: Path,
    *,
    reference: str,
    files: Mapping[str, Path],
    entrypoint: Sequence[str],
    user: str = "65532:65532",
) -> None:
    """Write the image `reference` with these files (path in the image → file here), all executable.

    The same input gives the same bytes.
    """
    layer = _layer(files)
    config = json.dumps(_config(layer, entrypoint, user), sort_keys=True).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [reference], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as archive:
        _add(archive, config_name, config)
        _add(archive, "layer.tar", layer)
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _layer(files: Mapping[str, Path]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as layer:
        for name, source in sorted(files.items()):
            _add(layer, name.lstrip("/"), source.read_bytes(), mode=0o755)
    return content.getvalue()


def _config(layer: bytes, entrypoint: Sequence[str], user: str) -> dict[str, object]:
    return {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Entrypoint": list(entrypoint), "User": user, "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "tests.cluster.archive"}],
    }


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
