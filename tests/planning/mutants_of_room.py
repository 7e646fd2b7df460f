"""Mistakes about room: who gives way, who waits for whom, whose pods are taken by turns or in an outage."""

from __future__ import annotations

import dataclasses

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed, target
from slipway_operator.planning import (
    actions,
    bake,
    capacity,
    decision,
    plan,
    queueing,
    recreation,
    retirement,
    rolling,
    room,
    situation,
)
from tests.planning import mutation


def gives_way_while_it_serves(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(situation.Situation, "serves_nobody", property(lambda _: True))


def gives_way_to_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "lacking", lambda s: s.target is not None and not s.target_is_live)


def takes_its_room_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "was_given", lambda *_: False)


def lets_go_what_it_goes_back_to(patch: pytest.MonkeyPatch) -> None:
    """The predecessor leaves for a third revision in the same plan in which the traffic goes back to it."""

    def retire(s: situation.Situation) -> decision.Decision:
        due = [r for r in s.bystanders if r.desired > 0 and room.lacking(s) and s.confirmed]
        return decision.act(*(actions.Scale(r.id, 0) for r in due))

    patch.setattr(plan, "_standing", lambda s: [retire(s), room.make(s)])


def turns_without_a_floor(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rolling, "_floor", lambda _: 0)


def takes_a_place_that_is_not_free_yet(patch: pytest.MonkeyPatch) -> None:
    """A pod that is ending still holds its GPU."""

    def more(
        s: situation.Situation, goal: observed.Revision, others: list[observed.Revision]
    ) -> actions.Action | None:
        standing = goal.desired + sum(r.desired for r in others)
        if goal.desired >= s.asked.replicas or standing >= s.asked.replicas + s.asked.max_surge:
            return None
        return actions.Scale(goal.id, goal.desired + 1)

    patch.setattr(rolling, "_more", more)


def counts_every_turn_from_the_beginning(patch: pytest.MonkeyPatch) -> None:
    """What takes more turns than fit into the deadline leads itself back."""

    def late(s: situation.Situation, target: observed.Revision) -> bool:
        ends = situation.after(target.attempt_started_at, s.asked.progress_deadline)
        return len(target.ready) < target.desired and s.now >= ends

    patch.setattr(rolling, "late", late)


def narrows_on_the_first_ready_pod(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rolling, "_proven", lambda s, goal: s.asked.replicas if goal.ready else 0)


def never_narrows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rolling, "_narrow", lambda *_: None)


def takes_down_without_leave(patch: pytest.MonkeyPatch) -> None:
    recreates = property(lambda s: s.asked.strategy is target.Strategy.RECREATE and s._succeeds)
    patch.setattr(situation.Situation, "recreating", recreates)


def takes_down_for_what_has_failed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recreation, "under_way", lambda s: s.recreating and not s.asked.paused)


def does_not_wait_for_its_turn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(situation.Situation, "queued", property(lambda _: False))


def takes_the_old_version_down_before_its_turn(patch: pytest.MonkeyPatch) -> None:
    def take_down(s: situation.Situation) -> decision.Decision:
        alone = dataclasses.replace(s, seen=dataclasses.replace(s.seen, turn=None))
        return recreation.take_down(alone)

    mutation.policy(patch, recreation.take_down, take_down)


def never_leaves_the_queue(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(queueing, "_is_running", lambda s, _: len(s.seen.revisions) > 1)


def takes_a_lost_node_for_a_fault(patch: pytest.MonkeyPatch) -> None:
    def evidence(
        s: situation.Situation, live: observed.Revision, _: observed.Revision
    ) -> observed.Verdict | None:
        if len(live.ready) >= live.desired:
            return None
        return bake._verdict(s, reasons.ConditionReason.UNREADY_AFTER_SWITCH, "pods are missing")

    patch.setattr(bake, "_evidence", evidence)


def follows_no_autoscaler(patch: pytest.MonkeyPatch) -> None:
    def follow(s: situation.Situation) -> decision.Decision:
        return capacity.follow(s) if s.hibernating else decision.NOTHING

    patch.setattr(plan, "_standing", lambda s: [follow(s), retirement.retire(s), room.make(s)])


ALL: tuple[mutation.Mutation, ...] = (
    gives_way_while_it_serves,
    gives_way_to_nobody,
    takes_its_room_back,
    lets_go_what_it_goes_back_to,
    turns_without_a_floor,
    takes_a_place_that_is_not_free_yet,
    counts_every_turn_from_the_beginning,
    narrows_on_the_first_ready_pod,
    never_narrows,
    takes_down_without_leave,
    takes_down_for_what_has_failed,
    does_not_wait_for_its_turn,
    takes_the_old_version_down_before_its_turn,
    never_leaves_the_queue,
    takes_a_lost_node_for_a_fault,
    follows_no_autoscaler,
)
