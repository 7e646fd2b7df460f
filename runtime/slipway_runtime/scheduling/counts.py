"""What one version has done since it was loaded, as the Open Inference Protocol's statistics tell it.

Plain counters, written by the queue alone. Knows no protocol and no metrics.
"""

from dataclasses import dataclass, field

from slipway_runtime.scheduling.calls import Spent


@dataclass(slots=True)
class Duration:
    """How often something happened and how long it took in all."""

    count: int = 0
    ns: int = 0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.ns += round(seconds * 1e9)


@dataclass(slots=True)
class Statistics:
    """`inference_count` counts rows and `execution_count` runs; `last_inference` is in ms since 1970."""

    inference_count: int = 0
    execution_count: int = 0
    last_inference: int = 0
    success: Duration = field(default_factory=Duration)
    fail: Duration = field(default_factory=Duration)
    queue: Duration = field(default_factory=Duration)
    compute: Duration = field(default_factory=Duration)
    batches: dict[int, Duration] = field(default_factory=dict)
    """By rows: the runs of that size."""

    def count_run(self, *, rows: int, seconds: float, at: float) -> None:
        """`at` is in seconds since 1970."""
        self.inference_count += rows
        self.execution_count += 1
        self.last_inference = round(at * 1000)
        self.batches.setdefault(rows, Duration()).add(seconds)

    def count_request(self, spent: Spent, *, failed: bool) -> None:
        """A request that was run; `failed`: at least one of its rows was."""
        if failed:
            self.count_failure(spent.queue_seconds + spent.run_seconds)
            return
        self.success.add(spent.queue_seconds + spent.run_seconds)
        self.queue.add(spent.queue_seconds)
        self.compute.add(spent.run_seconds)

    def count_failure(self, seconds: float) -> None:
        self.fail.add(seconds)
