"""The invariants of a rollout, checked on every plan and on every write.

Stated anew from what was seen and written: it must not ask the planner's own predicates.
"""

from __future__ import annotations

import dataclasses
import datetime

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from slipway_operator.planning import actions
from tests.planning import bakes, look, resolutions, truths, turns, world

REASON = reasons.ConditionReason
NO_ROOM = {
    REASON.UNSCHEDULABLE,
    REASON.QUOTA_EXCEEDED,
    REASON.HELD_BY_ENDING_PODS,
    REASON.HELD_BY_OLD_VERSION,
    REASON.HELD_BY_OTHERS,
}

_KEPT_IN_A_PAUSE = (
    actions.CreateTrafficService,
    actions.CreateRevisionService,
    actions.MarkPromoted,
    actions.CreateBudget,
    actions.DeleteBudget,
    actions.ApplyAccess,
    actions.DeleteAccess,
    actions.MarkLentService,
    actions.MendService,
    actions.TakeOver,
)


@dataclasses.dataclass(slots=True)
class Auditor:
    """What it has to remember of the history."""

    _promoted: dict[tuple[str, datetime.datetime], int] = dataclasses.field(default_factory=dict)
    _flipped: dict[tuple[str, datetime.datetime], int] = dataclasses.field(default_factory=dict)
    _rejected_with: dict[str, str] = dataclasses.field(default_factory=dict)
    _wanted_at_start: dict[str, int] = dataclasses.field(default_factory=dict)

    def plan_is_made(self, taken: look.Look) -> None:
        again = taken.plan.look_again
        assert again is None or again > taken.at, "I10: the next look is due before this one is over"
        truths.check(taken)
        bakes.check(taken)
        _first_taken_over(taken)
        for action in taken.plan.actions:
            self._check(action, taken)

    def write_is_made(
        self,
        action: actions.Action,
        *,
        taken: look.Look,
        before: world.StableService | None,
        cluster: world.World,
    ) -> None:
        """The same against the truth at the write, `before` being the stable Service until then."""
        match action:
            case actions.SwitchTraffic(to=to, origin=origin):
                assert before is not None
                assert taken.seen.service is not None
                read = taken.seen.service.resource_version
                assert str(before.resource_version) == read, "I3: switched a Service that nobody had read"
                if to == taken.asked.revision:
                    self._once(self._promoted, to, cluster)
                if origin is not None and _flips_back(taken):
                    self._once(self._flipped, origin, cluster)
            case actions.Scale(revision=revision, replicas=replicas):
                live = before is not None and before.revision == revision
                assert not live or replicas >= taken.asked.replicas, "I2: the live revision was scaled down"
            case actions.DeleteRevision(revision=revision):
                assert before is None or before.revision != revision, "I2: the live revision was deleted"
            case actions.Reject(revision=revision, verdict=verdict):
                self._rejected_with[revision] = verdict.retry_token
            case actions.CreateDeployment(revision=revision) | actions.StartAttempt(revision=revision):
                self._wanted_at_start[revision] = taken.asked.replicas
                self._tried_again(action, taken)
            case _:
                pass

    def _once(
        self, moves: dict[tuple[str, datetime.datetime], int], revision: str, cluster: world.World
    ) -> None:
        """One move of that kind in each attempt of the revision, but for what people do by hand."""
        deployment = cluster.deployments.get(revision)
        if deployment is None:  # deleted by hand since it was seen
            return
        attempt = (revision, deployment.attempt_started_at)
        hands = moves.get(attempt, -1)
        assert hands < cluster.moved_by_hand, f"I3: the second move about one attempt of {revision}"
        moves[attempt] = cluster.moved_by_hand

    def _tried_again(self, action: actions.CreateDeployment | actions.StartAttempt, taken: look.Look) -> None:
        token = self._rejected_with.pop(action.revision, None)
        if isinstance(action, actions.StartAttempt) and token is not None:
            assert token != taken.asked.retry_token, f"I14: {action.revision} was rejected and is tried again"

    def _check(self, action: actions.Action, taken: look.Look) -> None:
        if taken.asked.paused:
            _goes_on_in_a_pause(action, taken)
        match action:
            case actions.CreateDeployment() | actions.StartAttempt():
                assert taken.seen.turn is None, "it begins, and it is not its turn"
                assert action.revision == taken.asked.revision, "only what is asked for is tried"
                resolutions.check_known(action, taken)
                if isinstance(action, actions.CreateDeployment):
                    assert taken.seen.revision(action.revision) is None, "I4: it exists already"
            case actions.Reject() | actions.Release():
                _justly_ended(action, taken)
            case actions.Scale(revision=revision, replicas=replicas):
                _rightly_sized(revision, replicas, taken)
            case actions.CreateResolver() | actions.DeleteResolver():
                resolutions.check(action, taken)
            case _:
                self._check_requests(action, taken)
                self._check_leaving(action, taken)

    def _check_leaving(self, action: actions.Action, taken: look.Look) -> None:
        match action:
            case actions.TakeDown(revision=revision):
                assert taken.seen.turn is None, "an outage begins, and it is not its turn"
                turns.check_outage(revision, taken)
            case actions.GiveWay(revision=revision):
                _serves_nobody(revision, taken)
            case actions.DeleteRevision(revision=revision):
                _may_leave(revision, taken)
            case _:
                pass

    def _check_requests(self, action: actions.Action, taken: look.Look) -> None:
        match action:
            case actions.CreateTrafficService(to=to):
                _comes_back_where_pods_are(to, taken)
            case actions.SwitchTraffic(to=to):
                self._enough(to, taken)
                if turns.under_way(taken):
                    turns.check_end(to, taken)
                _with_the_users_word(to, taken)
                bakes.check_noted(action, taken)
            case actions.WidenTraffic(origin=origin):
                turns.check_beginning(origin, taken)
            case actions.PointPreview(to=to):
                _worth_a_look(to, taken)
            case actions.MarkPromoted(revision=revision):
                moves = (actions.SwitchTraffic, actions.WidenTraffic)
                leaving = any(isinstance(a, moves) for a in taken.plan.actions)
                assert taken.confirmed or leaving, "a promotion is noted before it is confirmed"
                assert taken.live is not None
                assert taken.live.id == revision, "a revision without the traffic is noted as promoted"
            case _:
                pass

    def _enough(self, revision: str, taken: look.Look) -> None:
        """I1, I3: as many proven pods as the attempt began with and the traffic has, or as are asked for."""
        service, to = taken.seen.service, taken.seen.revision(revision)
        assert service is not None
        assert to is not None
        assert to.ready, "I3: traffic to a revision without a ready pod"
        assert not taken.hibernating, "I3: a promotion while hibernating"
        behind = max(len(taken.live.ready) if taken.live else 0, len(service.ready))
        if behind == 0 or taken.live is None:
            return
        if _flips_back(taken):  # I13: away from what fails; how much of it is ready is never asked
            return
        proven = [p for p in to.ready if (taken.at - p.since).total_seconds() >= taken.asked.min_ready]
        needed = min(max(self._wanted_at_start.get(revision, 0), behind), taken.asked.replicas)
        assert len(proven) >= needed, f"I1: {len(proven)} pods of {revision} are proven, {needed} are needed"


def _first_taken_over(taken: look.Look) -> None:
    """I4: all that has lost its owner, and nothing else; it is not judged, moved or scaled until then."""
    planned = taken.plan.actions
    first = sorted((a.kind, a.name) for a in planned if type(a) is actions.TakeOver)
    beside = sorted((a.kind, a.name) for a in planned if type(a) is actions.TakeOverSupporting)
    lost = sorted((u.kind, u.name) for u in taken.seen.unowned)
    needed = [each for each in lost if each[0] not in ("PodDisruptionBudget", "NetworkPolicy")]
    if first or (planned and needed):
        assert first == needed, f"I4: {first} are taken over, and {needed} have lost their owner"
        assert len(first) == len(planned), "I4: something is done with what has no owner yet"
    assert set(beside) <= set(lost) - set(needed), f"I4: {beside} are taken over"


def _goes_on_in_a_pause(action: actions.Action, taken: look.Look) -> None:
    """What serves is kept serving, and that is all."""
    match action:
        case actions.SwitchTraffic(to=to):
            back = taken.live is None or to != taken.asked.revision or _rescues(to, taken)
            assert back, "a promotion while paused"
        case actions.Scale(revision=revision):
            assert taken.hibernating or revision == (taken.live and taken.live.id), "scaled while paused"
        case actions.Reject():
            assert _flips_back(taken), "rejected while paused"
        case _:
            assert isinstance(action, _KEPT_IN_A_PAUSE), f"while paused: {action}"


def _with_the_users_word(to: str, taken: look.Look) -> None:
    """Where promotion is Manual: but for a first version, and for a way back."""
    if not taken.asked.manual or to != taken.asked.revision or taken.live is None:
        return
    switch = taken.seen.service.switch if taken.seen.service else None
    back = switch is not None and (switch.origin, switch.to) == (to, taken.live.id)
    given = taken.asked.approved == to
    assert given or back or not taken.live.promoted_at or _rescues(to, taken), (
        f"{to} was promoted, and nobody had said so"
    )


def _rescues(to: str, taken: look.Look) -> bool:
    """It has served before, and what has the traffic cannot answer."""
    seen, service = taken.seen.revision(to), taken.seen.service
    answering = (taken.live is not None and taken.live.ready) or (service is not None and service.ready)
    return seen is not None and seen.promoted_at is not None and not answering


def _worth_a_look(to: str, taken: look.Look) -> None:
    """The preview is for what is asked for and has ready pods; an edit is set right on what is live."""
    shown, seen = taken.seen.preview, taken.seen.revision(to)
    assert shown is not None
    live = taken.seen.service.revision if taken.seen.service else None
    if to == live:
        return
    assert to == taken.asked.revision, "the preview moves to what nobody asks for"
    assert seen is not None
    assert seen.ready, "the preview moves to what only starts"


def _comes_back_where_pods_are(to: str, taken: look.Look) -> None:
    with_pods = [r.id for r in taken.seen.revisions if r.ready and r.rejected is None]
    assert not with_pods or to in with_pods, "I1: the Service comes back on a revision without ready pods"


def _justly_ended(action: actions.Reject | actions.Release, taken: look.Look) -> None:
    ended = taken.seen.revision(action.revision)
    assert ended is not None
    if ended is taken.live and isinstance(action, actions.Reject):
        bakes.check_verdict(ended, taken)
        return
    assert ended is not taken.live, "the live revision is judged"
    assert action.verdict.retry_token == taken.asked.retry_token
    if isinstance(action, actions.Reject):
        assert any(p.severity is observed.Severity.REJECTING for p in ended.problems)
        assert action.verdict.reason in reasons.REJECTED_REASONS
    else:
        begun = ended.attempt_started_at
        if turns.under_way(taken):
            assert ended.short_since is not None, "released, and no pod has kept it waiting"
            begun = max(begun, ended.short_since)
        age = (taken.at - begun).total_seconds()
        assert age >= taken.asked.progress_deadline, "released before its deadline"


def _rightly_sized(revision: str, replicas: int, taken: look.Look) -> None:
    seen = taken.seen.revision(revision)
    assert seen is not None
    if turns.under_way(taken):
        turns.check(seen, replicas, taken)
    elif replicas < seen.desired:
        _may_shrink(seen, replicas, taken)


def _may_shrink(seen: observed.Revision, replicas: int, taken: look.Look) -> None:
    assert not _moves_to(seen.id, taken), f"I1: {seen.id} is to lose pods and to get the traffic"
    if replicas >= taken.asked.replicas:
        return
    assert seen is not taken.live, "I2: the live revision is to be scaled below spec.replicas"
    assert not _gets_requests(seen, taken), f"I1: {seen.id} still gets requests"
    if taken.live is None and seen.ready and seen.rejected is None:
        others = [r for r in taken.seen.revisions if r.ready and r is not seen]
        assert others, f"I1: {seen.id} has the only ready pods, and the Service is about to come back"
    served = seen.promoted_at or _is_warm(seen, taken)
    if seen.id != taken.asked.revision and served and seen.rejected is None:
        assert taken.confirmed, f"I1: {seen.id} has served, and its successor is not confirmed"
        if _finds_no_room(taken):
            return
        assert not _is_warm(seen, taken), f"I13: {seen.id} is in its warm time"
        bakes.check_watched(seen, taken)


def _serves_nobody(revision: str, taken: look.Look) -> None:
    """I2 is for those who are served: nobody is by a live revision that was never promoted nor ready."""
    live, service = taken.live, taken.seen.service
    assert live is not None
    assert live.id == revision
    assert service is not None
    assert not service.ready, f"I2: {revision} serves"
    assert not live.ready, f"I2: {revision} serves"
    assert live.promoted_at is None, f"I2: {revision} has served"
    assert service.switch is None or service.switch.to != revision, f"I2: the traffic was moved to {revision}"
    assert _finds_no_room(taken), f"I2: {revision} gives way, and nobody needs its room"


def _finds_no_room(taken: look.Look) -> bool:
    """A revision that is asked for, is not live and not ended, and whose pods find no place."""
    asked = taken.seen.revision(taken.asked.revision)
    if asked is None or asked is taken.live or asked.rejected or asked.released or asked.desired == 0:
        return False
    return any(p.reason in NO_ROOM for p in asked.problems)


def _moves_to(revision: str, taken: look.Look) -> bool:
    return any(isinstance(a, actions.SwitchTraffic) and a.to == revision for a in taken.plan.actions)


def _may_leave(revision: str, taken: look.Look) -> None:
    seen = taken.seen.revision(revision)
    assert seen is not None
    assert seen is not taken.live, "I2: the live revision is to be deleted"
    assert revision != taken.asked.revision, "the asked-for revision is to be deleted"
    assert (seen.desired, seen.pods) == (0, 0), "a revision with pods is to be deleted"
    spared = {taken.asked.revision, taken.live.id if taken.live else None}
    deleted = {a.revision for a in taken.plan.actions if isinstance(a, actions.DeleteRevision)}
    kept = [r for r in taken.seen.revisions if r.id not in spared | deleted and r.desired == 0]
    assert len(kept) >= taken.asked.history_limit, "history is shorter than historyLimit"


def _gets_requests(seen: observed.Revision, taken: look.Look) -> bool:
    service = taken.seen.service
    return service is not None and any(pod.uid in service.ready for pod in seen.ready)


def _is_warm(seen: observed.Revision, taken: look.Look) -> bool:
    """It is where the traffic came from, less than keepWarmSeconds ago."""
    service = taken.seen.service
    switch = service.switch if service else None
    if taken.live is None or switch is None or (switch.origin, switch.to) != (seen.id, taken.live.id):
        return False
    baked = 0 if switch.back else taken.asked.bake
    return (taken.at - switch.at).total_seconds() < baked + taken.asked.keep_warm


def _flips_back(taken: look.Look) -> bool:
    """The plan takes the traffic from a revision that it rejects, or that was rejected in its bake."""
    rejected = {a.revision for a in taken.plan.actions if isinstance(a, actions.Reject)}
    live = taken.live
    return live is not None and (live.id in rejected or live.rejected is not None)
