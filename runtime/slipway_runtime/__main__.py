"""`slipway-runtime`, `python -m slipway_runtime`: one process serves one model until it is told to stop.

`slipway-runtime resolve` only says what the model's source leads to, and ends.
"""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from slipway_runtime import credentials, leaving
from slipway_runtime.telemetry import redaction, stderr


def main() -> NoReturn:
    """Run until SIGTERM. Exits with 0 after a drain, with 1 when this pod cannot serve, with 2 for a typo."""
    # First of all, even before the imports that take a second: PID 1 without a handler ignores
    # SIGTERM, and a pod that loads would hold its GPU until it is killed.
    signal.signal(signal.SIGTERM, _leave)
    stderr.guard()
    redaction.know(credentials.secrets(os.environ), names=credentials.names(os.environ))
    leaving.at_once(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    match arguments:
        case []:
            from slipway_runtime import app

            return app.run()
        case ["resolve"]:
            from slipway_runtime import resolution

            return resolution.run()
    sys.stderr.write("usage: slipway-runtime [resolve]\n")
    return 2


def _leave(_signal: int, _frame: FrameType | None) -> None:
    leaving.at_once(0)


if __name__ == "__main__":
    main()
