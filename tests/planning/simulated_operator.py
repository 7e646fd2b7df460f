"""The operator as the planner's host: it looks, plans, writes one by one, and may die between any two writes.

It keeps nothing from one look to the next but what it has not yet written.
"""

from __future__ import annotations

import copy

from tests.planning import auditor, executor, look, world

LOOKS_UNTIL_REST = 40


class Operator:
    """Every plan and every write of it is audited."""

    def __init__(self, cluster: world.World) -> None:
        self._world = cluster
        self._auditor = auditor.Auditor()
        self._unwritten: look.Look | None = None
        self.writes = 0

    def looks(self) -> look.Look:
        """Plans, and writes nothing yet: what happens until then makes the plan a stale one."""
        asked, seen, now = self._world.asked, self._world.as_seen(), self._world.now
        taken = look.at(asked, seen, now)
        assert taken == look.at(asked, seen, now), "I5: the same look gave two plans"
        self._auditor.plan_is_made(taken)
        self._unwritten = taken
        return taken

    def writes_at_most(self, count: int | None = None) -> None:
        """The first `count` writes of its plan, or all; then the plan is forgotten."""
        taken, self._unwritten = self._unwritten, None
        if taken is None:
            return
        for action in taken.plan.actions[:count]:
            before = copy.copy(self._world.service)
            try:
                executor.carry_out(self._world, action, asked=taken.asked)
            except executor.Refused:
                return
            self.writes += 1
            self._auditor.write_is_made(action, taken=taken, before=before, cluster=self._world)

    def works_until_rest(self) -> look.Look:
        """Looks and writes until a plan has no action."""
        for _ in range(LOOKS_UNTIL_REST):
            taken = self.looks()
            if not taken.plan.actions:
                return taken
            self.writes_at_most()
        raise AssertionError(f"I10: no rest after {LOOKS_UNTIL_REST} looks: {taken.plan.actions}")
