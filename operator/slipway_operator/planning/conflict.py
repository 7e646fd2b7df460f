"""A name that somebody else has taken keeps from us only what needs that name.

Without its Deployment, its own Service or the stable one the asked-for revision cannot come: the rollout
stands still as in a pause, and what serves is kept serving. A budget, a policy or a preview is done without,
and that is said. The other's object is never touched.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from slipway_operator.domain import observed
from slipway_operator.planning import actions, decision, situation

LOOK_SECONDS = 10

_CHILD = observed.Child
_OF_THE_TARGET = (_CHILD.DEPLOYMENT, _CHILD.PROOF)


def in_the_way(s: situation.Situation) -> observed.Foreign | None:
    """That without whose name the asked-for revision cannot come."""
    return next((f for f in s.seen.foreign if _stops(s, f)), None)


def stable(s: situation.Situation) -> observed.Foreign | None:
    """Somebody else's Service that bears the model's name."""
    return next((f for f in s.seen.foreign if f.child is _CHILD.STABLE), None)


def missed(s: situation.Situation) -> tuple[observed.Foreign, ...]:
    """Those whose names are needed for what can be done without."""
    return tuple(f for f in s.seen.foreign if not _stops(s, f))


def held(s: situation.Situation) -> situation.Situation:
    """The same situation, paused while something is in the way."""
    if in_the_way(s) is None:
        return s
    return dataclasses.replace(s, asked=dataclasses.replace(s.asked, paused=True))


def wait(s: situation.Situation) -> decision.Decision:
    """Somebody else's object carries no label of ours: no event tells when it has gone."""
    if not s.seen.foreign:
        return decision.NOTHING
    return decision.wait_until(situation.after(s.now, LOOK_SECONDS))


def allowed(s: situation.Situation, wanted: Sequence[actions.Action]) -> tuple[actions.Action, ...]:
    """Of these the ones whose name is free; none where nothing of ours stands that is to be cared for."""
    if in_the_way(s) is not None and not s.seen.revisions:
        return ()
    taken = {(f.child, f.revision) for f in s.seen.foreign}
    return tuple(action for action in wanted if _needed(action) not in taken)


def _stops(s: situation.Situation, foreign: observed.Foreign) -> bool:
    if foreign.child is _CHILD.STABLE:
        return True
    return foreign.child in _OF_THE_TARGET and foreign.revision == s.asked.revision


def _needed(action: actions.Action) -> tuple[observed.Child, str] | None:
    """The name that this action takes."""
    match action:
        case actions.CreateDeployment(revision=revision):
            return _CHILD.DEPLOYMENT, revision
        case actions.CreateRevisionService(revision=revision):
            return _CHILD.PROOF, revision
        case actions.CreateBudget(revision=revision):
            return _CHILD.BUDGET, revision
        case actions.CreateTrafficService():
            return _CHILD.STABLE, ""
        case actions.CreatePreviewService():
            return _CHILD.PREVIEW, ""
        case actions.ApplyAccess():
            return _CHILD.POLICY, ""
        case _:
            return None
