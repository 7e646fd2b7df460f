"""Who may write: only the holder of the Lease, and only while its own clock says so."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies

from slipway_operator.kube import errors, fence, lease


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_fence_is_closed_until_it_is_opened() -> None:
    gate = fence.Fence(slack=5, now=Clock())
    assert not gate.is_open
    with pytest.raises(errors.Fenced):
        gate.pass_through()


def test_time_alone_closes_it() -> None:
    clock = Clock()
    gate = fence.Fence(slack=5, now=clock)
    gate.open_until(clock.now + 10)
    assert gate.pass_through() == pytest.approx(15)
    clock.now += 9.9
    assert gate.pass_through() == pytest.approx(5.1)
    clock.now += 0.1
    with pytest.raises(errors.Fenced, match="not held any more"):
        gate.pass_through()


def test_it_can_be_closed_before_its_time() -> None:
    clock = Clock()
    gate = fence.Fence(slack=5, now=clock)
    gate.open_until(clock.now + 10)
    gate.close()
    assert not gate.is_open


def test_the_clock_does_not_go_back() -> None:
    assert fence.clock() <= fence.clock()


_TAKEN = {"holderIdentity": "other", "leaseDurationSeconds": 15}


@pytest.mark.parametrize(
    ("spec", "waited", "free"),
    [
        pytest.param({}, 0, True, id="nobody ever held it"),
        pytest.param({"holderIdentity": ""}, 0, True, id="it was released"),
        pytest.param({"holderIdentity": "me"}, 0, True, id="the one that was before me in this pod held it"),
        pytest.param(_TAKEN, 0, False, id="it has just been renewed"),
        pytest.param(_TAKEN, 14.9, False, id="its holder may still be alive"),
        pytest.param(_TAKEN, 15, True, id="its holder has been silent for as long as it said"),
        pytest.param({"holderIdentity": "other"}, 15, True, id="its holder said nothing of the time"),
        pytest.param(
            {**_TAKEN, "leaseDurationSeconds": 60},
            30,
            False,
            id="its holder asked for more time than we would",
        ),
        pytest.param({**_TAKEN, "leaseDurationSeconds": 1}, 5, False, id="or for less"),
    ],
)
def test_the_lease_is_free_when_nobody_can_be_writing(
    spec: dict[str, object], waited: float, *, free: bool
) -> None:
    seen = lease.Sighting(version="1", since=1000.0)
    assert seen.free(spec, identity="me", duration=15, now=1000.0 + waited) is free


@hypothesis.given(
    renewed=strategies.floats(0, 1e6),
    delay=strategies.floats(0, 30),
    renew=strategies.floats(1, 14),
    duration=strategies.floats(15, 60),
)
def test_two_clocks_that_run_alike_never_let_two_write(
    renewed: float, delay: float, renew: float, duration: float
) -> None:
    """The holder counts from before its renewal, the other from when it saw it: never the other way round."""
    closes = renewed + renew
    free_from = renewed + delay + duration
    seen = lease.Sighting(version="1", since=renewed + delay)
    spec = {"holderIdentity": "other", "leaseDurationSeconds": duration}
    assert not seen.free(spec, identity="me", duration=duration, now=min(closes, free_from - 1e-3))
