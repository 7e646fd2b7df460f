"""When a drain is over, as a table of times."""

import pytest

from slipway_runtime.transport.drain import Drain, DrainLimits

LIMITS = DrainLimits(quiet=5, timeout=60)


def test_a_server_that_was_not_told_to_stop_never_stops() -> None:
    assert not Drain(LIMITS).is_over(1e9)


@pytest.mark.parametrize(
    ("now", "over"),
    [(100.0, False), (104.9, False), (105.0, True)],
    ids=["at once", "just before the quiet has lasted", "when the quiet has lasted"],
)
def test_an_unused_server_waits_for_those_who_do_not_know_yet(*, now: float, over: bool) -> None:
    drain = Drain(LIMITS)
    drain.begin(100.0)

    assert drain.is_over(now) is over


def test_the_quiet_starts_when_the_last_connection_has_gone() -> None:
    drain = Drain(LIMITS)
    drain.opened()
    drain.begin(100.0)
    drain.closed(110.0)

    assert not drain.is_over(114.9)
    assert drain.is_over(115.0)


def test_a_connection_in_the_quiet_starts_it_again() -> None:
    drain = Drain(LIMITS)
    drain.begin(100.0)
    drain.opened()
    drain.closed(104.0)

    assert not drain.is_over(105.0)
    assert drain.is_over(109.0)


def test_a_client_that_stays_is_waited_for_until_the_time_is_up() -> None:
    drain = Drain(LIMITS)
    drain.opened()
    drain.begin(100.0)

    assert not drain.is_over(159.9)
    assert drain.is_over(160.0)


def test_a_second_order_to_drain_does_not_extend_the_first() -> None:
    drain = Drain(LIMITS)
    drain.begin(100.0)
    drain.begin(150.0)

    assert drain.is_over(105.0)


def test_connections_of_the_other_port_are_waited_for_too() -> None:
    drain = Drain(LIMITS)
    drain.counted(2, 99.0)
    drain.begin(100.0)
    assert not drain.is_over(120.0)
    drain.counted(0, 121.0)

    assert not drain.is_over(125.9)
    assert drain.is_over(126.0)


def test_the_count_that_finds_nobody_again_does_not_start_the_quiet_again() -> None:
    drain = Drain(LIMITS)
    drain.counted(0, 99.0)
    drain.begin(100.0)
    for now in range(100, 105):
        drain.counted(0, float(now))

    assert drain.is_over(105.0)
