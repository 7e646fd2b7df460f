"""A histogram that is cheap to add to. Knows nothing of what it counts."""

import bisect
import itertools
from collections.abc import Iterable, Sequence

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString


class Distribution(Collector):
    """Rendered as prometheus_client's Histogram is, without its lock for each of two numbers.

    `observe` on one thread only; it is read from any.
    """

    def __init__(
        self, name: str, text: str, *, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        """`buckets` are upper bounds in ascending order, without the infinite one."""
        self._name = name
        self._text = text
        self._bounds = tuple(buckets)
        self._counts = [0] * (len(buckets) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, amount: float) -> None:
        self._counts[bisect.bisect_left(self._bounds, amount)] += 1
        self._sum += amount

    def collect(self) -> Iterable[Metric]:
        names = map(floatToGoString, (*self._bounds, float("inf")))
        buckets = list(zip(names, itertools.accumulate(self._counts), strict=True))
        return [HistogramMetricFamily(self._name, self._text, buckets=buckets, sum_value=self._sum)]
