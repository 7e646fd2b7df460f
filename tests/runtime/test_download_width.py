"""How many connections a download has, played through with connections of known speed; no time passes."""

import hashlib
import pathlib
import threading
import time
from collections.abc import Iterator

import pytest

from slipway_runtime.artifacts import disk, ranges
from slipway_runtime.artifacts.deadline import Deadline
from slipway_runtime.artifacts.width import Width

_TICK = 0.01
_MB = 1_000_000


def _play(width: Width, seconds: float, *, each: float, together: float, begin: float = 0.0) -> list[int]:
    """How many there were at every tick; each brings at most `each`, and all `together` (bytes a second)."""
    had = []
    for tick in range(round(seconds / _TICK)):
        there = width.connections
        had.append(there)
        for connection in range(there):
            rate = min(each, together / there)
            width.arrived(connection, round(rate * _TICK), begin + tick * _TICK)
    return had


def test_it_begins_with_one() -> None:
    assert Width(8).connections == 1


def test_there_are_as_many_as_allowed_where_each_brings_the_same() -> None:
    width = Width(8)

    had = _play(width, 1.0, each=90 * _MB, together=10_000 * _MB)

    assert had == sorted(had)
    assert width.connections == 8


def test_an_odd_number_is_kept_to() -> None:
    width = Width(5)

    _play(width, 1.0, each=90 * _MB, together=10_000 * _MB)

    assert width.connections == 5


def test_there_is_one_most_of_the_time_where_one_brings_all_there_is() -> None:
    had = _play(Width(8), 10.0, each=1000 * _MB, together=1000 * _MB)

    assert max(had) == 2
    assert had.count(1) > 0.85 * len(had)


def test_there_are_no_more_than_bring_something() -> None:
    width = Width(8)

    had = _play(width, 10.0, each=90 * _MB, together=200 * _MB)

    assert had.count(2) > 0.7 * len(had)
    assert width.connections >= 1


def test_what_did_not_pay_at_first_is_tried_again() -> None:
    width = Width(8)
    _play(width, 1.0, each=90 * _MB, together=90 * _MB)  # a bad moment of the network

    _play(width, 3.0, each=90 * _MB, together=10_000 * _MB, begin=1.0)

    assert width.connections == 8


def test_a_connection_that_has_brought_nothing_yet_is_waited_for() -> None:
    width = Width(8)

    for tick in range(100):  # the second is being opened all the time
        width.arrived(0, _MB, tick * _TICK)

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
