"""The demo without a terminal: lines that say what changed between two snapshots. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tests.demo.snapshot import Facts, Snapshot, StepState, StepView, Traffic

EVERY_SECONDS = 5.0


def lines(before: Snapshot, now: Snapshot) -> Iterator[str]:
    """One line an event; the counts come every five seconds."""
    for old, new in zip(before.steps, now.steps, strict=True):
        yield from _step(old, new)
    yield from _pods(before.facts, now.facts)
    if now.facts.problem and now.facts.problem != before.facts.problem:
        yield f"  ! {now.facts.problem}"
    if now.facts.traffic and now.seconds // EVERY_SECONDS > before.seconds // EVERY_SECONDS:
        yield _traffic(now.facts.traffic)


def _step(old: StepView, new: StepView) -> Iterator[str]:
    if old.state is new.state:
        return
    if old.state is StepState.AHEAD:
        yield f"… {new.title}"
        if new.command:
            yield f"  $ {new.command}"
    if new.state in (StepState.DONE, StepState.FAILED):
        yield f"{'✓' if new.state is StepState.DONE else '✗'} {new.title} {new.seconds:.1f} s"


def _pods(before: Facts, now: Facts) -> Iterator[str]:
    known = {pod.name: pod.state for pod in before.pods}
    for pod in now.pods:
        if known.get(pod.name) is not pod.state:
            yield f"  pod {pod.name} (version {pod.version}) is {pod.state}"
    for name in known.keys() - {pod.name for pod in now.pods}:
        yield f"  pod {name} is gone"


def _traffic(traffic: Traffic) -> str:
    shares = ", ".join(f"version {version} {share:.0%}" for version, share in traffic.shares().items())
    rate = f"{traffic.requests:,} requests, {traffic.failed:,} failed, {traffic.rate:.0f} a second"
    return f"  {rate}; {shares or 'no answers'}"
