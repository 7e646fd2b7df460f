"""How the pods of a recording ended: drained of themselves, or killed when their time was up.

Must not know why they were told to end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.recorder.history import Change, History

_SIGKILL = 128 + 9


@dataclass(frozen=True, slots=True)
class Ending:
    """The last of one container; `code` is None where nobody knows it."""

    pod: str
    revision: str
    code: int | None

    @property
    def was_killed(self) -> bool:
        """By the kubelet at the end of its grace, or for the memory it took."""
        return self.code == _SIGKILL

    def __str__(self) -> str:
        return f"pod {self.pod}"


def of(history: History) -> tuple[Ending, ...]:
    """Of every model's pod that was deleted, and of every start before its last."""
    return tuple(
        ending
        for change in history.changes
        if change.deleted and change.key.kind == "Pod" and change.object.meta.model
        for ending in _endings(change)
    )


def _endings(change: Change) -> Iterator[Ending]:
    meta = change.object.meta
    for status in change.raw.get("status", {}).get("containerStatuses") or [{}]:
        earlier = status.get("lastState", {}).get("terminated")
        last = status.get("state", {}).get("terminated", {})
        for state in [last, earlier] if earlier else [last]:
            # For a container that never ran the kubelet makes up a code.
            ran = state.get("reason") != "ContainerStatusUnknown"
            yield Ending(meta.key.name, meta.revision or "", state.get("exitCode") if ran else None)
