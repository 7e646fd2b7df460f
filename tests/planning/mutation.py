"""What a mutant is: a planner with one part replaced, for one run of the machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slipway_operator.planning import decision, plan

Mutation = Callable[[pytest.MonkeyPatch], None]


def policy(patch: pytest.MonkeyPatch, old: decision.Policy, new: decision.Policy) -> None:
    """Puts `new` in the place of `old` in the order of a rollout."""
    patch.setattr(plan, "_ROLLOUT", tuple(new if each is old else each for each in plan._ROLLOUT))
