"""Which retired revisions are kept, at 0 replicas, for a rollback that finds its Deployment ready made.

Never trimmed: the live revision, the predecessor in its warm time, the target. What has served stays until
the present revision is confirmed; what never had the traffic is nothing to go back to.
"""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, situation


def trim(s: situation.Situation) -> decision.Decision:
    """Deletes the oldest retired revisions beyond `historyLimit`, once their last pod is gone."""
    settled = s.live is not None and (s.confirmed or s.hibernating)
    retired = sorted((r for r in s.bystanders if r.desired == 0), key=_last_used, reverse=True)
    surplus = [r for r in retired[s.asked.history_limit :] if r.pods == 0]
    return decision.act(*(actions.DeleteRevision(r.id) for r in surplus if settled or r.promoted_at is None))


def _last_used(revision: observed.Revision) -> tuple[bool, datetime.datetime]:
    """What has served is worth more than what has not."""
    return revision.promoted_at is not None, revision.promoted_at or revision.attempt_started_at
