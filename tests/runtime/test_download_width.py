"""How many connections a download has, played through with connections of known speed; no time passes."""

import dataclasses
import hashlib
import pathlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from slipway_runtime.artifacts import disk, ranges
from slipway_runtime.artifacts.deadline import Deadline
from slipway_runtime.artifacts.width import Width

_TICK = 0.01
_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Each connection brings at most `each` bytes a second, all `together`; `busy`: of a processor."""

    each: float
    together: float
    busy: float = 0.1


def _play(width: Width, way: _Way, *, seconds: float, begin: float = 0.0) -> list[int]:
    """How many there were at every tick."""
    had = []
    for tick in range(round(seconds / _TICK)):
        there, now = width.connections, begin + tick * _TICK
        had.append(there)
        for connection in range(there):
            rate = min(way.each, way.together / there)
            width.arrived(connection, round(rate * _TICK), now, computed=way.busy * now)
    return had


FAR = _Way(each=90 * _MB, together=10_000 * _MB)
NEAR = _Way(each=1000 * _MB, together=1000 * _MB)


def test_it_begins_with_one() -> None:
    assert Width(8).connections == 1


def test_there_are_as_many_as_allowed_where_each_brings_the_same() -> None:
    width = Width(8)

    had = _play(width, FAR, seconds=1)

    assert had == sorted(had)
    assert width.connections == 8


def test_an_odd_number_is_kept_to() -> None:
    width = Width(5)

    _play(width, FAR, seconds=1)

    assert width.connections == 5


def test_there_is_one_most_of_the_time_where_one_brings_all_there_is() -> None:
    had = _play(Width(8), NEAR, seconds=10)

    assert max(had) == 2
    assert had.count(1) > 0.85 * len(had)


def test_there_is_one_where_the_processor_is_busy_with_it() -> None:
    had = _play(Width(8), dataclasses.replace(FAR, busy=1.1), seconds=10)

    assert set(had) == {1}


def test_there_are_no_more_than_bring_something() -> None:
    width = Width(8)

    had = _play(width, _Way(each=90 * _MB, together=200 * _MB), seconds=10)

    assert had.count(2) > 0.7 * len(had)
    assert width.connections >= 1


def test_what_did_not_pay_at_first_is_tried_again() -> None:
    width = Width(8)
    _play(width, _Way(each=90 * _MB, together=90 * _MB), seconds=1)  # a bad moment of the network

    _play(width, FAR, seconds=3, begin=1)

    assert width.connections == 8


def test_a_connection_that_has_brought_nothing_yet_is_waited_for() -> None:
    width = Width(8)

    for tick in range(100):  # the second is being opened all the time
        width.arrived(0, _MB, tick * _TICK, computed=0)

    assert width.connections == 2


_SIZE = 24 * _MB + 7
_CONTENT = bytes(range(251)) * (_SIZE // 251 + 1)


@pytest.mark.parametrize("shared", [False, True], ids=["each as fast as alone", "all as fast as one"])
def test_whatever_their_number_the_file_is_whole(tmp_path: pathlib.Path, *, shared: bool) -> None:
    """Connections are opened and given up in mid-part."""
    one_at_a_time, open_now, most = threading.Lock(), 0, 0
    count = threading.Lock()

    def open_range(start: int, end: int) -> Iterator[bytes]:
        nonlocal open_now, most
        with count:
            open_now += 1
            most = max(most, open_now)
        try:
            for begin in range(start, end, 1 << 16):
                if shared:
                    with one_at_a_time:
                        time.sleep(0.001)
                else:
                    time.sleep(0.002)
                yield _CONTENT[begin : min(begin + (1 << 16), end)]
        finally:
            with count:
                open_now -= 1

    limits = ranges.Limits(
        connections=4, attempts=3, deadline=Deadline(time.monotonic() + 120), broken=(OSError,)
    )
    descriptor = disk.create(tmp_path / "file")

    digest = ranges.Download(open_range, size=_SIZE, limits=limits).into(descriptor)

    assert digest == hashlib.sha256(_CONTENT[:_SIZE]).hexdigest()
    assert (tmp_path / "file").read_bytes() == _CONTENT[:_SIZE]
    assert 1 < most <= 4
