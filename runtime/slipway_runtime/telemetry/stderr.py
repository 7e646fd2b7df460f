"""Standard error, where Python itself says what nobody caught: without credentials, too.

The kubelet lifts the end of the log into the status where a pod left no message. What native libraries
write there does not come by here.
"""

import io
import sys

from slipway_runtime.telemetry import redaction


class _Redacted(io.TextIOWrapper):
    def write(self, said: str, /) -> int:
        super().write(redaction.text(said))
        return len(said)


def guard() -> None:
    """Once, before anything can be said."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _Redacted(
            sys.stderr.buffer, encoding=sys.stderr.encoding, errors="backslashreplace", line_buffering=True
        )
