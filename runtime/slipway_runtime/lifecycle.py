"""How far this process has come, and whether its main loop still turns.

Written by the main thread and read by the probes' thread: every field is replaced as a whole and
none depends on another, so there is no lock. Knows nothing of HTTP or models.
"""

import enum
import time


class Phase(enum.StrEnum):
    """The steps of a start, in their order."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    LOADING = "Loading"
    WARMING_UP = "WarmingUp"
    VERIFYING = "Verifying"
    READY = "Ready"


class Lifecycle:
    """The phase (readiness) and the heartbeat (liveness) of one process."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self._last_beat = time.monotonic()

    @property
    def ready(self) -> bool:
        """Stays true in a drain: Kubernetes marks the endpoint as terminating by itself, and failing
        readiness too would take away the fallback for a Service whose pods all terminate."""
        return self.phase is Phase.READY

    def beat(self, now: float) -> None:
        self._last_beat = now

    def silent_for(self, now: float) -> float:
        """Seconds since the main loop last turned."""
        return now - self._last_beat
