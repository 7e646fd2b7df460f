"""A rollout by turns may outlast its deadline many times over: each turn has that time anew."""

from __future__ import annotations

import pytest

from slipway_operator.domain import target
from slipway_operator.planning import actions
from tests.planning import simulated_operator, world

REPLICAS = 8
DEADLINE = 90
STARTING, DRAINING = 60, 20  # seconds


class Slow:
    """A cluster in which everything takes its time, and an operator that looks at every change."""

    def __init__(self, *, quota: int | None = None, surge: int = 1, missing: int = 0) -> None:
        self.world = world.World(replicas=REPLICAS)
        self.operator = simulated_operator.Operator(self.world)
        self._brings_up("v1")
        self.world.user_chooses(
            target.Strategy.ROLLING,
            max_surge=surge,
            max_unavailable=missing,
            progress_deadline=DEADLINE,
            keep_warm=600,
        )
        self.world.controllers_lag, self.world.quota = True, quota

    def _brings_up(self, version: str) -> None:
        self.world.user_asks_for(version)
        for _ in range(60):
            if not self.operator.works_until_rest().plan.actions and not self.world.settles():
                return
            self.world.time_passes(5)

    def turns_to(self, version: str) -> None:
        self.world.user_asks_for(version)
        for _ in range(20 * REPLICAS):
            self.something_happens()
            service = self.world.service
            if service is not None and service.revision == version:
                return
        raise AssertionError(f"{version} does not come: {self.operator.looks().plan.status.message}")

    def something_happens(self) -> None:
        """Pods are made, start, are seen, prove themselves, and those that were ending are gone."""
        leaving = [p.uid for p in self.world.pods.values() if p.phase is world.Phase.LEAVING]
        for event in (
            self.world.pods_are_made,
            lambda: self.world.time_passes(STARTING),
            self._pods_start,
            self.world.slices_catch_up,
            lambda: self.world.time_passes(DRAINING),
            lambda: self._end(leaving),
        ):
            event()
            self.operator.works_until_rest()

    def _pods_start(self) -> None:
        for pod in list(self.world.pods.values()):
            if pod.phase is world.Phase.STARTING:
                self.world.pod_starts(pod.uid)

    def _end(self, uids: list[str]) -> None:
        for uid in uids:
            del self.world.pods[uid]

    @property
    def gave_up(self) -> bool:
        return any(isinstance(a, actions.Release | actions.Reject) for a in self.operator.written)


@pytest.mark.parametrize(
    "cluster",
    [
        pytest.param({}, id="one more, then one less"),
        pytest.param({"surge": 0, "missing": 1}, id="one less, then one more"),
        pytest.param({"missing": 1, "quota": REPLICAS}, id="no pod exists until an old one has gone"),
        pytest.param({"surge": 0, "missing": 1, "quota": REPLICAS}, id="a quota that just suffices"),
    ],
)
def test_no_turn_is_late_when_all_together_take_longer_than_the_deadline(cluster: dict[str, int]) -> None:
    slow = Slow(**cluster)
    begun = slow.world.now
    slow.turns_to("v2")
    assert (slow.world.now - begun).total_seconds() > 5 * DEADLINE
    assert not slow.gave_up


def test_the_wait_before_the_first_turn_is_no_part_of_it() -> None:
    slow = Slow()
    slow.world.user_chooses(target.Strategy.BLUE_GREEN)
    slow._brings_up("v2")
    slow.world.user_chooses(target.Strategy.ROLLING)
    slow.turns_to("v3")
    assert not slow.gave_up


def test_a_pod_that_was_moved_to_another_node_has_its_time_anew() -> None:
    slow = Slow()
    slow.world.user_asks_for("v2")
    for _ in range(4):
        slow.something_happens()
    slow.world.time_passes(10 * DEADLINE)
    moved = next(p.uid for p in slow.world.standing("v2") if p.phase is world.Phase.READY)
    slow.world.pod_is_gone(moved)
    slow.operator.works_until_rest()
    slow.turns_to("v2")
    assert not slow.gave_up


def test_a_pod_that_a_quota_forbids_for_too_long_ends_it() -> None:
    slow = Slow(quota=REPLICAS)
    slow.world.user_asks_for("v2")
    slow.operator.works_until_rest()
    slow.world.pods_are_made()
    assert slow.operator.works_until_rest().plan.look_again == slow.world.now + world.seconds(DEADLINE)
    slow.world.time_passes(DEADLINE - 1)
    slow.operator.works_until_rest()
    assert not slow.gave_up
    slow.world.time_passes(1)
    slow.operator.works_until_rest()
    assert slow.gave_up
