"""The planner is total: whatever is seen, sane or not, it has a plan, and the plan keeps the promises."""

from __future__ import annotations

import datetime
import itertools

from hypothesis import given
from hypothesis import strategies as st

from slipway_operator.api import reasons
from slipway_operator.domain import observed, target
from slipway_operator.planning import actions
from tests.planning import anything, look, truths

_CHILD = observed.Child
_BEGINNINGS = (actions.CreateDeployment, actions.StartAttempt, actions.TakeDown, actions.WidenTraffic)
_TAKES: dict[type, observed.Child] = {
    actions.CreateDeployment: _CHILD.DEPLOYMENT,
    actions.CreateRevisionService: _CHILD.PROOF,
    actions.CreateBudget: _CHILD.BUDGET,
    actions.CreateTrafficService: _CHILD.STABLE,
    actions.CreatePreviewService: _CHILD.PREVIEW,
    actions.ApplyAccess: _CHILD.POLICY,
}

LATER = st.integers(0, 200_000).map(lambda seconds: datetime.timedelta(seconds=seconds))


@given(anything.TARGET, anything.OBSERVED, anything.MOMENT)
def test_every_observation_has_one_plan(
    asked: target.Target, seen: observed.Observed, now: datetime.datetime
) -> None:
    assert look.at(asked, seen, now) == look.at(asked, seen, now)


@given(anything.TARGET, anything.OBSERVED, anything.MOMENT)
def test_the_status_is_true(asked: target.Target, seen: observed.Observed, now: datetime.datetime) -> None:
    truths.check(look.at(asked, seen, now))


@given(anything.TARGET, anything.OBSERVED, anything.MOMENT)
def test_the_next_look_is_never_due_at_once(
    asked: target.Target, seen: observed.Observed, now: datetime.datetime
) -> None:
    again = look.at(asked, seen, now).plan.look_again
    assert again is None or again > now


@given(anything.TARGET, anything.OBSERVED, anything.MOMENT, LATER)
def test_time_alone_brings_no_action_before_the_alarm(
    asked: target.Target, seen: observed.Observed, now: datetime.datetime, later: datetime.timedelta
) -> None:
    first = look.at(asked, seen, now).plan
    again = first.look_again
    if not first.actions and (again is None or now + later < again):
        assert look.at(asked, seen, now + later).plan.actions == ()


@given(anything.TARGET, anything.OBSERVED, anything.MOMENT)
def test_the_live_revision_is_never_scaled_below_what_is_asked_for_nor_deleted_nor_judged(
    asked: target.Target, seen: observed.Observed, now: datetime.datetime
) -> None:
    live = seen.service.revision if seen.service else None
    planned = look.at(asked, seen, now).plan.actions
    for action in planned:
        match action:
            case actions.Scale(revision=revision, replicas=replicas):
                assert revision != live or replicas >= asked.replicas
            case actions.GiveWay():
                assert not _ready(live or "", seen), "what has a ready pod never gives way"
            case actions.DeleteRevision() | actions.Release():
                assert action.revision != live
            case actions.Reject(revision=revision):
                assert revision != live or _goes_back(live, seen, planned)
            case _:
                pass


def _goes_back(live: str, seen: observed.Observed, planned: tuple[actions.Action, ...]) -> bool:
    """The live revision is judged in one case: when the traffic leaves it for what served before."""
    moves = [a for a in planned if isinstance(a, actions.SwitchTraffic)]
    return [(m.origin, m.back) for m in moves] == [(live, True)] and bool(_ready(moves[0].to, seen))


def _ready(name: str, seen: observed.Observed) -> tuple[observed.ReadyPod, ...]:
    revision = seen.revision(name)
    return revision.ready if revision else ()


@given(anything.TARGET, anything.OBSERVED, anything.MOMENT)
def test_no_two_actions_of_a_plan_speak_of_the_same_thing(
    asked: target.Target, seen: observed.Observed, now: datetime.datetime
) -> None:
    planned = look.at(asked, seen, now).plan.actions
    for one, other in itertools.combinations(planned, 2):
        same = getattr(one, "revision", None) == getattr(other, "revision", "")
        assert not (same and type(one) is type(other)), (one, other)


@given(anything.TARGET, anything.OBSERVED, anything.MOMENT)
def test_what_needs_somebody_elses_name_is_not_done_and_the_rest_is(
    asked: target.Target, seen: observed.Observed, now: datetime.datetime
) -> None:
    decided = look.at(asked, seen, now).plan
    stopped = any(f.child is _CHILD.STABLE or _is_the_targets(f, asked) for f in seen.foreign)
    if stopped:
        assert decided.status.step is reasons.RolloutStep.STOPPED
        assert not any(isinstance(action, _BEGINNINGS) for action in decided.actions)
    taken = {(f.child, f.revision) for f in seen.foreign}
    for action in decided.actions:
        child = _TAKES.get(type(action))
        assert (child, getattr(action, "revision", "")) not in taken, "a name that is taken"


def _is_the_targets(foreign: observed.Foreign, asked: target.Target) -> bool:
    own = foreign.child in (_CHILD.DEPLOYMENT, _CHILD.PROOF)
    return own and foreign.revision == asked.revision
