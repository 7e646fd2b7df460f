"""Commands as a person would type them in the clone's folder."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from tests.cluster import paths


def path(file: Path) -> str:
    """The file as it is named from the clone's folder, or else from home."""
    for folder, sign in ((paths.ROOT, ""), (Path.home(), "~/")):
        if file.is_relative_to(folder):
            return f"{sign}{shlex.quote(str(file.relative_to(folder)))}"
    return shlex.quote(str(file))


def setting_up(kubectl: Path, kubeconfig: Path) -> list[str]:
    """What has to be said once, so that plain `kubectl` speaks to this cluster."""
    known = shutil.which("kubectl")
    found = [] if known and Path(known).samefile(kubectl) else [f"export PATH={path(kubectl.parent)}:$PATH"]
    same = os.environ.get("KUBECONFIG") == str(kubeconfig)
    return [*found, *([] if same else [f"export KUBECONFIG={path(kubeconfig)}"])]
