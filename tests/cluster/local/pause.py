"""The image of the process that holds a pod's namespaces: a static busybox and nothing else.

Must not know of nodes.
"""

import hashlib
import os
from pathlib import Path

from tests.cluster import archive, paths
from tests.cluster.local.configuration import PAUSE

_BUSYBOX = Path("/bin/busybox")
# As the first process of a pod it must end when it is told to, and reap what it inherits.
_SCRIPT = "trap 'exit 0' TERM INT; while :; do /bin/busybox sleep 86400 & wait $!; done"
_ENTRYPOINT = ["/bin/busybox", "sh", "-c", _SCRIPT]


def image() -> Path:
    """The docker-archive, made once for each busybox."""
    key = hashlib.sha256(_BUSYBOX.read_bytes() + _SCRIPT.encode()).hexdigest()[:12]
    file = paths.cache() / "images" / f"pause-{key}.tar"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_name(f"{file.name}.{os.getpid()}.new")
        archive.write(half, reference=PAUSE, files={"/bin/busybox": _BUSYBOX}, entrypoint=_ENTRYPOINT)
        half.rename(file)
    return file
