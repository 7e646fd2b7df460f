"""`slipway-operator`, also `python -m slipway_operator`."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Ends with a sentence when the environment makes no sense."""
    # Before the imports, which take a second: PID 1 without a handler ignores SIGTERM, and a pod that
    # is told to leave in that second would stay until it is killed.
    signal.signal(signal.SIGTERM, _leave)
    from slipway_operator.controller import process

    sys.exit(process.main())


def _leave(_signal: int, _frame: FrameType | None) -> None:
    os._exit(0)  # nothing has been begun


if __name__ == "__main__":
    main()
