"""How far this process has come, and whether its main loop still turns.

Written by the main thread and read by the probes' thread: every field is replaced as a whole and
none depends on another, so there is no lock. Knows nothing of HTTP or models.
"""

import enum
import time
from collections.abc import Callable


class Phase(enum.StrEnum):
    """The steps of a start, in their order."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    LOADING = "Loading"
    WARMING_UP = "WarmingUp"
    VERIFYING = "Verifying"
    READY = "Ready"


class Lifecycle:
    """The phase and the stuck runs (readiness), and the heartbeat (liveness) of one process."""

    def __init__(self, overdue: Callable[[float], float] = lambda _now: 0.0) -> None:
        """`overdue` says of a monotonic time how late the latest run is: from 1 on it is stuck."""
        self.phase = Phase.STARTING
        self.overdue = overdue
        self._last_beat = time.monotonic()

    @property
    def started(self) -> bool:
        """Whether it has served, or could have: then it owes its clients a drain."""
        return self.phase is Phase.READY

    @property
    def ready(self) -> bool:
        """Stays true in a drain: Kubernetes marks the endpoint as terminating by itself, and failing
        readiness too would take away the fallback for a Service whose pods all terminate. A version
        that is loaded, or cannot be, does not lower it; a run that does not come back does."""
        return self.started and self.overdue(time.monotonic()) < 1

    def beat(self, now: float) -> None:
        self._last_beat = now

    def silent_for(self, now: float) -> float:
        """Seconds since the main loop last turned."""
        return now - self._last_beat
