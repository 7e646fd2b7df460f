"""The operator as the planner's host: it looks, plans, writes one by one, and may die between any two writes.

It keeps nothing from one look to the next but what it has not yet written.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Collection

from slipway_operator.domain import fleet, observed, target
from slipway_operator.planning import actions, inquiry, queueing, situation
from tests.planning import auditor, executor, look, world

LOOKS_UNTIL_REST = 40


class Operator:
    """Every plan and every write is audited. It dies right before or right after writes of given numbers."""

    def __init__(
        self,
        cluster: world.World,
        *,
        dies_before: Collection[int] = (),
        dies_after: Collection[int] = (),
    ) -> None:
        self._world = cluster
        self._auditor = auditor.Auditor()
        self._unwritten: look.Look | None = None
        self._dies_before, self._dies_after = dies_before, dies_after
        self._tries = 0
        self.written: list[actions.Action] = []

    def looks(self) -> look.Look:
        """Plans, and writes nothing yet: what happens until then makes the plan a stale one."""
        asked, now = self._world.asked, self._world.now
        seen = _with_its_turn(asked, self._world.as_seen(), self._world)
        taken = look.at(asked, seen, now)
        assert taken == look.at(asked, seen, now), "I5: the same look gave two plans"
        self._auditor.plan_is_made(taken)
        self._unwritten = taken
        return taken

    def writes_at_most(self, count: int | None = None) -> None:
        """The first `count` writes of its plan, or all; then the plan is forgotten."""
        taken, self._unwritten = self._unwritten, None
        if taken is None:
            return None
        for action in taken.plan.actions[:count]:
            self._tries += 1
            if self._tries in self._dies_before:
                return self.is_replaced()
            if not self._makes(action, taken):
                return None
            if self._tries in self._dies_after:
                return self.is_replaced()
        return None

    def is_replaced(self) -> None:
        """It has died, and another one takes its place at once: what was planned is forgotten."""
        self._unwritten = None
        self._world.watched_since = self._world.now

    def _makes(self, action: actions.Action, taken: look.Look) -> bool:
        before = copy.copy(self._world.service)
        try:
            executor.carry_out(self._world, action, asked=taken.asked)
        except executor.Refused:
            return False
        self.written.append(action)
        self._auditor.write_is_made(action, taken=taken, before=before, cluster=self._world)
        return True

    def works_until_rest(self) -> look.Look:
        """Looks and writes until a plan has no action."""
        for _ in range(LOOKS_UNTIL_REST):
            taken = self.looks()
            if not taken.plan.actions:
                return taken
            self.writes_at_most()
        raise AssertionError(f"I10: no rest after {LOOKS_UNTIL_REST} looks: {taken.plan.actions}")


def _with_its_turn(asked: target.Target, seen: observed.Observed, cluster: world.World) -> observed.Observed:
    """As the inquirer asks: only of a rollout that is about to begin, and while others come first."""
    s = situation.Situation(asked=asked, seen=seen, now=cluster.now)
    if not cluster.others_come_first or not inquiry.questions(s, limited=True).turn:
        return seen
    other = fleet.Entry("default/other", running=True, waiting=False, asked_at=world.START, devices=0)
    place = queueing.place(entry(cluster), [other], fleet.Limits(1))
    return dataclasses.replace(seen, turn=place)


def entry(cluster: world.World) -> fleet.Entry:
    """The model as the queue sees it."""
    seen = cluster.as_seen()
    return queueing.entry_of(
        "default/me",
        cluster.asked,
        seen.revisions,
        resolvers=seen.resolvers,
        asked_at=world.START,
        devices=1,
        now=cluster.now,
    )
