"""When a server that was told to stop may stop.

Pure: the servers tell it what happens to connections, and ask. Knows no sockets.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DrainLimits:
    """Seconds without any connection that end a drain, and seconds after which it ends regardless."""

    quiet: float
    timeout: float


class Drain:
    """Counts the open connections of all ports and the quiet since the last one.

    One port tells of each connection that comes or goes, the other from time to time how many there
    are. Both are left in the same moment, when neither is used. Times are monotonic seconds.
    """

    def __init__(self, limits: DrainLimits) -> None:
        self._limits = limits
        self.began: float | None = None
        self._quiet_since = 0.0
        self.open = 0
        self._others = 0

    @property
    def timeout(self) -> float:
        """Seconds that a drain may last."""
        return self._limits.timeout

    @property
    def begun(self) -> bool:
        return self.began is not None

    def begin(self, now: float) -> None:
        if self.began is None:
            self.began = now

    def opened(self) -> None:
        self.open += 1

    def closed(self, now: float) -> None:
        self.open -= 1
        self._quiet_since = now

    def counted(self, others: int, now: float) -> None:
        """There are `others` connections beside those that are told of one by one."""
        if others or self._others:
            self._quiet_since = now
        self._others = others

    def is_over(self, now: float) -> bool:
        """Whether nobody can be hurt any more, or the time is up.

        The quiet is waited for because endpoints are taken out of routing node by node: somebody
        may still be sent here seconds after the last connection has gone.
        """
        if self.began is None:
            return False
        if now - self.began >= self._limits.timeout:
            return True
        return (
            self.open == self._others == 0 and now - max(self.began, self._quiet_since) >= self._limits.quiet
        )
