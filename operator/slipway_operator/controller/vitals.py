"""Whether this process still does its work: what liveness asks, as sentences. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from slipway_operator.kube import echoes


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Seconds."""

    silence: float  # of a watch that owes something
    queued: float  # of a key that waits
    look: float  # of a key that a worker has


@dataclasses.dataclass(frozen=True, slots=True)
class Signs:
    """What was measured at one moment, in seconds."""

    silences: Mapping[echoes.Stream, float]
    queued: float
    look: float
    ended: int  # workers and other tasks that should run for ever


def complaints(signs: Signs, limits: Limits) -> tuple[str, ...]:
    """Why the process should be started anew; empty for a healthy one."""
    found = [
        f"the watch of {stream} is deaf: what was written or read {age:.0f} s ago has not come along"
        for stream, age in sorted(signs.silences.items())
        if age > limits.silence
    ]
    if signs.queued > limits.queued:
        found.append(f"a model has waited for {signs.queued:.0f} s to be looked at")
    if signs.look > limits.look:
        found.append(f"a look has taken {signs.look:.0f} s and has not ended")
    if signs.ended:
        found.append(f"{signs.ended} of the tasks that should always run have ended")
    return tuple(found)
