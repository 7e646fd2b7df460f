"""What an operator at rest has to show, and whether it did. Pure.

Must not know how the samples and the writes came about.
"""

import itertools
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.runtime import plot
from tests.proof.entry import Figure
from tests.proof.sampling import Sample

MOST_GROWTH = 0.05
"""Share of its memory by which the operator may seem to grow. An hour cannot tell a slower leak from an
allocator that settles; a faster one takes an operator from 100 MiB to the chart's 512 MiB in three days."""
LEAST_ANSWERED = 0.9  # of the samples
_STEPS = 12  # of the picture


@dataclass(frozen=True, slots=True)
class Plan:
    """How long is watched, in seconds; memory is judged after the first `warm_up` of them."""

    models: int = 20
    awake: int = 2  # of the models have a pod
    seconds: float = 3600
    warm_up: float = 600
    every: float = 30


QUICK = Plan(seconds=120, warm_up=30, every=5)


@dataclass(frozen=True, slots=True)
class Rest:
    """What was seen. Writes are the operator's, by resource; `needless` are the ones that nothing excuses."""

    plan: Plan
    samples: Sequence[Sample]
    written: Mapping[str, int]
    needless: Sequence[str]

    @property
    def answered(self) -> int:
        """Samples that lack nothing."""
        return sum(not sample.problem for sample in self.samples)

    @property
    def restarts(self) -> int:
        """How often another process stood in the operator's place."""
        known = [sample for sample in self.samples if sample.life]
        return sum(_between(before, after) for before, after in itertools.pairwise(known))

    @property
    def liveness_failures(self) -> int:
        """What the kubelet has told since the first look: at least so many."""
        told = [sample.liveness for sample in self.samples if sample.liveness is not None]
        most: dict[str, int] = {}
        for event, count in itertools.chain.from_iterable(each.items() for each in told):
            most[event] = max(most.get(event, 0), count)
        before = told[0] if told else {}
        return sum(count - before.get(event, 0) for event, count in most.items())

    @property
    def slope(self) -> float | None:
        """Bytes a second, fitted by least squares; None of two processes, or of too few samples."""
        warm = self._warm()
        if len(warm) < 3 or self.restarts:
            return None
        return statistics.linear_regression(*zip(*warm, strict=True)).slope

    @property
    def growth(self) -> float | None:
        """As a share of the memory, from the end of the warm-up to the end."""
        warm, slope = self._warm(), self.slope
        if slope is None:
            return None
        return slope * (warm[-1][0] - warm[0][0]) / statistics.median(rss for _, rss in warm)

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Why it proves nothing, or the contrary, a sentence each."""
        return tuple(self._shortcomings())

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All that was measured."""
        seconds = self.samples[-1].seconds if self.samples else 0.0
        needed = f"{LEAST_ANSWERED:.0%} of {self._planned}"
        warm_up = _duration(self.plan.warm_up)
        return (
            Figure(f"models, of which {self.plan.awake} have a pod", self.plan.models),
            Figure("watched for", round(seconds / 60, 1), "min", f"{self.plan.seconds / 60:g} min"),
            Figure("looks at the operator that were answered", self.answered, "", f"at least {needed}"),
            Figure("restarts of the operator", self.restarts, "", "0"),
            Figure("failed liveness probes", self.liveness_failures, "", "0"),
            Figure("writes, the Lease's left out", len(self.needless), "", "0"),
            Figure("all its writes", _words(self.written)),
            Figure("memory (RSS), median", self._median(), "MiB"),
            Figure(f"slope of the memory after {warm_up}", _rounded(self.slope, 3600 / 1024), "KiB/h"),
            Figure(
                f"growth after {warm_up}", _rounded(self.growth, 100, 2), "%", f"at most {MOST_GROWTH:.0%}"
            ),
            Figure("reads of the API server", self._rate("reads", 1, 3), "a second"),
            Figure("processor time", self._rate("cpu", 100, 2), "% of a processor"),
        )

    def draw(self) -> str:
        """The memory over the time, as SVG; the median of each of a few steps."""
        width = self.plan.seconds / _STEPS
        steps = [self._in_step(number * width, width) for number in range(_STEPS)]
        ends = [round((number + 1) * width / 60) for number in range(_STEPS)]
        title = f"Memory of the operator, {self.plan.models} models at rest"
        return plot.draw(plot.Chart(title, "MiB", ends, {"RSS": steps}, axis="minutes"))

    @property
    def _planned(self) -> int:
        return int(self.plan.seconds / self.plan.every) + 1

    def _shortcomings(self) -> Iterator[str]:
        if self.answered < LEAST_ANSWERED * self._planned:
            yield f"{self.answered} looks at the operator were answered, of {self._planned}"
        if not self.samples or None in (self.samples[0].life, self.samples[-1].life):
            yield "how the operator was at the begin or at the end is not known"
        if self.restarts:
            yield f"the operator was restarted {self.restarts} times"
        if self.liveness_failures:
            yield f"{self.liveness_failures} liveness probes failed"
        if self.needless:
            yield f"{len(self.needless)} writes at rest, the first: {self.needless[0]}"
        if self.growth is not None and self.growth > MOST_GROWTH:
            yield f"the operator grew by {self.growth:.1%}, and {MOST_GROWTH:.0%} are allowed"

    def _warm(self) -> list[tuple[float, float]]:
        """Seconds and bytes after the warm-up."""
        known = [(sample.seconds, sample.rss) for sample in self.samples if sample.rss is not None]
        return [(seconds, rss) for seconds, rss in known if seconds >= self.plan.warm_up]

    def _median(self) -> float | None:
        known = [sample.rss for sample in self.samples if sample.rss is not None]
        return _rounded(statistics.median(known), 2**-20) if known else None

    def _rate(self, counter: str, factor: float, digits: int) -> float | None:
        """The counter's increase a second, over the processes that have counted."""
        known = [(s.seconds, value) for s in self.samples if (value := getattr(s, counter)) is not None]
        if len(known) < 2:
            return None
        return _rounded(increase(v for _, v in known) / (known[-1][0] - known[0][0]), factor, digits)

    def _in_step(self, begin: float, width: float) -> float:
        inside = [s.rss for s in self.samples if s.rss is not None and begin <= s.seconds < begin + width]
        return statistics.median(inside) / 2**20 if inside else 0.0  # which is not drawn


def increase(values: Iterable[float]) -> float:
    """By how much a counter grew; it begins at 0 again with each process."""
    return sum(after - before if after >= before else after for before, after in itertools.pairwise(values))


def _between(before: Sample, after: Sample) -> int:
    """Restarts from one look to the next: a pod in another's place is one, and those of its own count too."""
    if after.pod != before.pod:
        return 1 + after.restarts
    return max(after.restarts - before.restarts, int(after.container != before.container))


def _rounded(value: float | None, factor: float, digits: int = 1) -> float | None:
    return None if value is None else round(value * factor, digits) + 0.0  # no -0.0


def _words(written: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in sorted(written.items())) or "none"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
