"""`slipway-runtime`, `python -m slipway_runtime`: one process serves one model until it is told to stop."""

import signal
from types import FrameType
from typing import NoReturn

from slipway_runtime import leaving


def main() -> NoReturn:
    """Run until SIGTERM. Exits with 0 after a drain, and with 1 when this pod cannot serve."""
    # First of all, even before the imports that take a second: PID 1 without a handler ignores
    # SIGTERM, and a pod that loads would hold its GPU until it is killed.
    signal.signal(signal.SIGTERM, _leave)
    from slipway_runtime import app

    leaving.at_once(app.run())


def _leave(_signal: int, _frame: FrameType | None) -> None:
    leaving.at_once(0)


if __name__ == "__main__":
    main()
