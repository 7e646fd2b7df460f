"""A Service of a stable name, `<model>-preview`, for trying a version that waits for its promotion.

It is there from the first rollout with `promotion: Manual` on, and stays with the model. It moves when the
target has proved itself and not before: whoever is trying the present version is not cut off by a new one
that only starts. It carries no traffic that anything is promised about.
"""

from __future__ import annotations

from slipway_operator.planning import actions, decision, situation, traffic


def provide(s: situation.Situation) -> decision.Decision:
    """Creates it where it is wanted, and lets it follow."""
    preview, live = s.seen.preview, s.service.revision if s.service else None
    if preview is None:
        to = _proven(s) or live
        if not s.asked.manual or to is None:
            return decision.NOTHING
        return decision.act(actions.CreatePreviewService(to))
    to = _proven(s) or (live if preview.revision is None else None)
    if to is None or to == preview.revision:
        return decision.NOTHING
    return decision.act(actions.PointPreview(to, preview.resource_version))


def _proven(s: situation.Situation) -> str | None:
    return s.asked.revision if s.target_is_live or traffic.proven(s) else None
