"""When a revision that nobody asks for gives up its pods.

The predecessor keeps them through the bake and for `keepWarmSeconds` after it, so that going back is instant;
sooner it gives them up to a third revision that finds no room, and with them the way back. A revision that
was left because it failed gives them up at once, and so does one that was overtaken before it had the
traffic.
Whatever has served keeps its pods until the present revision is confirmed.
"""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import actions, bake, decision, room, situation


def retire(s: situation.Situation) -> decision.Decision:
    """Scales bystanders to 0 when their time has come; hibernation (capacity.py) waits for no time.

    While the traffic is about to go back nobody leaves.
    """
    if s.hibernating or bake.flip_back(s).actions:
        return decision.NOTHING
    standing = [r for r in s.bystanders if r.desired > 0]
    due = [r for r in standing if _due(s, r)]
    ends = [moment for r in standing if (moment := warm_until(s, r)) is not None and moment > s.now]
    return decision.Decision(
        actions=tuple(actions.Scale(r.id, 0) for r in due),
        look_again=min(ends, default=None),
    )


def warm_until(s: situation.Situation, revision: observed.Revision) -> datetime.datetime | None:
    """The end of the predecessor's warm time, which begins when the bake should end; None for any other."""
    switch = s.service.switch if s.service else None
    if switch is None or s.predecessor is None or s.predecessor.id != revision.id:
        return None
    ends = bake.ends_at(s)
    if ends is None:
        return situation.after(switch.at, s.asked.keep_warm)
    return max(ends, situation.after(switch.at, s.asked.bake + s.asked.keep_warm))


def _due(s: situation.Situation, revision: observed.Revision) -> bool:
    if s.live is None and revision.ready:  # the traffic may have to come back to it
        return False
    if s.gets_requests(revision):
        return False
    if revision.rejected is not None:
        return True
    if revision.promoted_at is None and revision is not s.predecessor:
        return True
    if not s.confirmed:
        return False
    until = warm_until(s, revision)
    return until is None or s.now >= until or room.lacking(s)
