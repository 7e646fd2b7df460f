"""Who made a change, as far as managedFields tell.

The API server keeps the name and the second of each manager's last write. A delete leaves no trace.
Must not know what the change was.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from tests.recorder.metadata import Mark
from tests.recorder.objects import Object

_CLOCKS = timedelta(seconds=3)  # between the API server's second and the recorder's reception


def is_operator(manager: str) -> bool:
    """Whether a field manager is one of Slipway's."""
    return manager == "slipway" or manager.startswith("slipway-")


def of(before: Object | None, after: Object, *, at: datetime) -> frozenset[str]:
    """The managers that wrote `after` over `before`; none when they cannot be told.

    A mark with a new time is a write. A second write of one manager within a second bears no new time:
    then all are named who wrote in that second, one of them rightly.
    """
    marks = after.meta.marks
    if before is None:
        return _managers(marks)
    known = {_identity(mark) for mark in before.meta.marks}
    # Not by the fields: a manager from whom somebody took a field has other fields too.
    written = [mark for mark in marks if _identity(mark) not in known]
    if written:
        return _managers(written)
    recent = [mark for mark in marks if _is_recent(mark, at)]
    return _managers(set(recent) - before.meta.marks or recent)


def operators(managers: Iterable[str]) -> list[str]:
    """Those of them that are Slipway's."""
    return sorted(filter(is_operator, managers))


def _managers(marks: Collection[Mark]) -> frozenset[str]:
    """Those of the newest marks."""
    newest = max((mark.time for mark in marks), default="")
    return frozenset(mark.manager for mark in marks if mark.time == newest)


def _identity(mark: Mark) -> tuple[str, str, str, str]:
    return mark.manager, mark.operation, mark.subresource, mark.time


def _is_recent(mark: Mark, at: datetime) -> bool:
    if not mark.time:
        return True
    return abs(at - datetime.fromisoformat(mark.time)) <= _CLOCKS
