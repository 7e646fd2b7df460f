"""When a server that was told to stop may stop.

Pure: the server tells it what happens to connections, and asks. Knows no sockets.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DrainLimits:
    """Seconds without any connection that end a drain, and seconds after which it ends regardless."""

    quiet: float
    timeout: float


class Drain:
    """Counts the open connections and the quiet since the last one. Times are monotonic seconds."""

    def __init__(self, limits: DrainLimits) -> None:
        self._limits = limits
        self._began: float | None = None
        self._quiet_since = 0.0
        self.open = 0

    @property
    def begun(self) -> bool:
        return self._began is not None

    def begin(self, now: float) -> None:
        if self._began is None:
            self._began = now

    def opened(self) -> None:
        self.open += 1

    def closed(self, now: float) -> None:
        self.open -= 1
        self._quiet_since = now

    def is_over(self, now: float) -> bool:
        """Whether nobody can be hurt any more, or the time is up.

        The quiet is waited for because endpoints are taken out of routing node by node: somebody
        may still be sent here seconds after the last connection has gone.
        """
        if self._began is None:
            return False
        if now - self._began >= self._limits.timeout:
            return True
        return self.open == 0 and now - max(self._began, self._quiet_since) >= self._limits.quiet
