"""How many connections a download keeps busy: as many as pay. Pure: bytes and times in, a number out.

One connection to S3 brings some 90 MB a second, so eight bring eight times that. Where a near server or
the processor is what limits, a second one only takes time from the first and from the hash.
"""

_WINDOW_SECONDS = 0.1
_WORTHWHILE = 1.3  # twice as many must bring this much more
_BUSY = 0.9  # of a processor: then it is what limits, and not the way to the server
_REST_SECONDS = 1.0  # until it is tried again: the first look may have been at a bad moment


class Width:
    """`connections` is how many there should be: one, then twice as many while that brings more.

    Not for two threads at once; times are monotonic seconds.
    """

    def __init__(self, most: int) -> None:
        self.connections = 1
        self._most = most
        self._usual: float | None = None  # bytes a second with half as many; None when that is to be measured
        self._heard: set[int] = set()  # connections that have brought something since there were so many
        self._since = 0.0
        self._computed = 0.0
        self._bytes = 0
        self._rests_until = 0.0

    def arrived(self, connection: int, count: int, now: float, *, computed: float) -> None:
        """`count` bytes came over one of the connections, each of which has a number of its own.

        `computed` are the processor's seconds that the process has had so far.
        """
        if now < self._rests_until or self.connections >= self._most:
            return
        if len(self._heard) < self.connections:  # one that has just been opened has brought nothing yet
            self._heard.add(connection)
            self._since, self._computed, self._bytes = now, computed, 0
            return
        self._bytes += count
        passed = now - self._since
        if passed >= _WINDOW_SECONDS:
            self._heard.clear()
            self._judge(self._bytes / passed, now, busy=(computed - self._computed) / passed)

    def _judge(self, rate: float, now: float, *, busy: float) -> None:
        before = self._usual
        if before is not None and rate < before * _WORTHWHILE:
            self.connections = max(1, self.connections // 2)
        elif busy < _BUSY:
            self.connections, self._usual = min(2 * self.connections, self._most), rate
            return
        self._usual, self._rests_until = None, now + _REST_SECONDS
