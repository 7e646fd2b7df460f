"""The last words of a pod that has ended, where the kubelet picks them up for the operator."""

import json
import pathlib

from slipway_runtime.failures import StartupError
from slipway_runtime.telemetry import redaction

DEFAULT_PATH = pathlib.Path("/dev/termination-log")
_MAX_BYTES = 4096  # what Kubernetes keeps


def write(failure: StartupError, path: pathlib.Path) -> None:
    """Write `failure` as one JSON object of at most 4096 bytes."""
    leave(render(failure), path)


def leave(message: bytes, path: pathlib.Path) -> None:
    """Write at most 4096 bytes for whoever comes after this process.

    The default path is written only where the kubelet has made it: outside a container there is
    nobody to read it.
    """
    if path == DEFAULT_PATH and not path.exists():
        return
    path.write_bytes(message)


def render(failure: StartupError) -> bytes:
    """`{"reason", "message", "object"}`, without credentials, and with the message cut to fit."""
    message, subject = redaction.text(failure.message), redaction.text(failure.subject)[:512]
    while True:
        document = {"reason": failure.reason, "message": message, "object": subject}
        text = json.dumps(document, ensure_ascii=False).encode(errors="replace")
        if len(text) <= _MAX_BYTES:
            return text
        message = message[: len(message) - max(1, (len(text) - _MAX_BYTES) // 6) - 1] + "…"
