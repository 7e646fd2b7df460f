"""The recording for a person: every move of the traffic with its times, and every broken promise."""

from collections.abc import Iterator, Sequence

from tests.recorder import switches
from tests.recorder.history import History
from tests.recorder.switches import Switch
from tests.recorder.violation import Violation


def render(history: History, violations: Sequence[Violation]) -> str:
    """Plain text, a fact a line."""
    return "\n".join([*_head(history), "", *_switches(history), "", *_violations(violations)]) + "\n"


def _head(history: History) -> Iterator[str]:
    since = f"{history.started_at:%Y-%m-%d %H:%M:%S}" if history.started_at else "never"
    until = f"{history.ended_at:%H:%M:%S}" if history.ended_at else "-"
    yield f"Recorded {len(history.changes)} changes from {since} to {until} UTC"
    for gap in history.gaps:
        yield f"INCOMPLETE  {gap.kind} after {gap.at:%H:%M:%S}: {gap.reason}"


def _switches(history: History) -> Iterator[str]:
    found = switches.of(history)
    yield f"Moves of the traffic: {len(found) or 'none'}"
    yield from (_line(switch) for switch in found)


def _line(switch: Switch) -> str:
    if switch.confirmed_at is None:
        confirmed = "never confirmed by the EndpointSlices"
    else:
        seconds = (switch.confirmed_at - switch.at).total_seconds()
        confirmed = f"EndpointSlices {seconds:.3f} s later"
    return (
        f"  {switch.at:%H:%M:%S.%f}  {switch.place}  {switch.origin or 'none'} -> {switch.to or 'none'}  "
        f"{switch.turn}, {switch.origin_ready} -> {switch.target_ready} ready pods, {confirmed}"
    )


def _violations(violations: Sequence[Violation]) -> Iterator[str]:
    if not violations:
        yield "Every promise was kept"
        return
    yield f"Broken promises: {len(violations)}"
    for violation in violations:
        yield f"  {violation}"
        yield from (f"      {line}" for line in violation.evidence)
