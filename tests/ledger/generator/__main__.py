"""`python -m tests.ledger.generator`: makes the load, then keeps its records readable until told to go."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

from tests.ledger.generator import settings as configuration
from tests.ledger.generator.run import Run
from tests.ledger.generator.window import Window

FAREWELL_SECONDS = 25.0


def main() -> int:
    """Run until SIGTERM or SIGINT; what is in flight then still gets its record."""
    leave = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        leave.set()

    # First of all: as process 1 without a handler, SIGTERM would be ignored.
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    settings = configuration.read(sys.argv[1:])
    run = Run(settings)
    window = Window(settings.port, run)
    threading.Thread(target=window.serve_forever, name="window", daemon=True).start()
    run.start()
    leave.wait()
    run.stop("signal")
    return 0 if run.wait(FAREWELL_SECONDS) else 1


if __name__ == "__main__":
    sys.exit(main())
