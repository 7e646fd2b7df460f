"""Planners with one mistake each: mistakes that real operators have made, or that this one nearly did."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from slipway_operator.domain import observed
from slipway_operator.planning import (
    actions,
    attempt,
    bake,
    decision,
    failure,
    history,
    plan,
    preview,
    promotion,
    retirement,
    situation,
    traffic,
    unowned,
)
from tests.planning import executor, mutants_of_room, mutants_of_sources, mutation


def switches_on_the_first_ready_pod(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(situation.Situation, "enough", property(lambda _: 1))


def switches_without_min_ready(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(observed.Revision, "settled", lambda self, **_: len(self.ready))


def keeps_nothing_warm(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(retirement, "warm_until", lambda *_: None)


def retires_before_confirmation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(situation.Situation, "confirmed", property(lambda s: s.live is not None))


def notes_a_promotion_before_confirmation(patch: pytest.MonkeyPatch) -> None:
    def promote(s: situation.Situation) -> decision.Decision:
        if s.live is None or s.live.attempt_spent:
            return decision.NOTHING
        return decision.act(actions.MarkPromoted(s.live.id, s.now))

    patch.setattr(traffic, "_promote", promote)


def forgets_rejections(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(failure, "may_try_again", lambda *_: True)


def never_lets_go(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(failure, "is_late", lambda *_: False)


def judges_the_live_revision(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(failure, "_watch", _judge_anyway)


def _judge_anyway(s: situation.Situation, target: observed.Revision) -> decision.Decision:
    if not failure.is_late(s, target) or len(target.ready) >= s.asked.replicas:
        return decision.NOTHING
    verdict = failure.verdict(s, failure.why_late(s, target, wanted=s.enough))
    return decision.act(actions.Release(target.id, verdict), actions.Scale(target.id, 0))


def trims_the_predecessor(patch: pytest.MonkeyPatch) -> None:
    def trim(s: situation.Situation) -> decision.Decision:
        gone = [r for r in s.bystanders if r is s.predecessor or r.desired == 0]
        return decision.act(*(actions.DeleteRevision(r.id) for r in gone[s.asked.history_limit :]))

    mutation.policy(patch, history.trim, trim)


def never_trims(patch: pytest.MonkeyPatch) -> None:
    mutation.policy(patch, history.trim, lambda _: decision.NOTHING)


def takes_the_live_revision_for_a_bystander(patch: pytest.MonkeyPatch) -> None:
    def bystanders(s: situation.Situation) -> tuple[observed.Revision, ...]:
        return tuple(r for r in s.seen.revisions if r.id != s.asked.revision)

    patch.setattr(situation.Situation, "bystanders", property(bystanders))


def switches_whatever_was_read(patch: pytest.MonkeyPatch) -> None:
    """As one that writes without a resourceVersion."""
    patch.setattr(executor, "fits", lambda *_: True)


def brings_the_service_back_on_what_is_asked_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(traffic, "_fallback", lambda _: None)


def goes_back_without_a_new_attempt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(observed.Revision, "attempt_spent", property(lambda r: r.promoted_at is not None))


def promotes_again_and_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(observed.Revision, "attempt_spent", property(lambda _: False))


def starts_small(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(situation.Situation, "first_size", property(lambda _: 1))
    patch.setattr(situation.Situation, "target_size", property(lambda _: 1))


def sets_no_alarm(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "wait_until", lambda _: decision.NOTHING)
    patch.setattr(traffic, "_settles_at", lambda _: None)


def wakes_at_once(patch: pytest.MonkeyPatch) -> None:
    def policy(s: situation.Situation) -> decision.Decision:
        return dataclasses.replace(retirement.retire(s), look_again=s.now)

    patch.setattr(plan, "_standing", lambda s: [policy(s)])


def trusts_a_clock_that_stands_still(patch: pytest.MonkeyPatch) -> None:
    def begins(s: situation.Situation, _: observed.Revision) -> datetime.datetime:
        return s.now

    patch.setattr(attempt, "_begins", begins)


def promotes_in_its_sleep(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(situation.Situation, "hibernating", property(lambda _: False))


def promotes_in_a_pause(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "_PAUSED", plan._ROLLOUT)
    patch.setattr(traffic, "gate_open", traffic.proven)


def promotes_without_the_users_word(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(promotion, "awaited", lambda _: False)


def waits_for_a_word_that_was_given(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(promotion, "awaited", lambda s: s.asked.manual and s.live is not None)


def shows_a_preview_that_only_starts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(preview, "_proven", lambda s: s.asked.revision)


def never_goes_back(patch: pytest.MonkeyPatch) -> None:
    mutation.policy(patch, bake.flip_back, lambda _: decision.NOTHING)


def goes_back_only_from_a_ready_version(patch: pytest.MonkeyPatch) -> None:
    def flip_back(s: situation.Situation) -> decision.Decision:
        return bake.flip_back(s) if s.live_ready >= s.asked.replicas else decision.NOTHING

    mutation.policy(patch, bake.flip_back, flip_back)


def goes_back_without_a_verdict(patch: pytest.MonkeyPatch) -> None:
    def flip_back(s: situation.Situation) -> decision.Decision:
        decided = bake.flip_back(s)
        return decision.act(*(a for a in decided.actions if not isinstance(a, actions.Reject)))

    mutation.policy(patch, bake.flip_back, flip_back)


def goes_back_to_no_ready_pod(patch: pytest.MonkeyPatch) -> None:
    def flip_back(s: situation.Situation) -> decision.Decision:
        if s.service and s.live and s.predecessor and s.live.symptoms and bake.under_way(s):
            read = s.service.resource_version
            return decision.act(actions.SwitchTraffic(s.live.id, s.predecessor.id, s.now, read, back=True))
        return decision.NOTHING

    mutation.policy(patch, bake.flip_back, flip_back)


def takes_a_way_back_for_a_way_forward(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(situation.Situation, "returning", property(lambda _: False))


def lets_go_as_soon_as_it_is_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bake, "WATCHED_LIVE_SECONDS", 0)


def keeps_no_pods_for_the_bake(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bake, "ends_at", lambda _: None)


def takes_nothing_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(unowned, "take_over", lambda _: decision.NOTHING)


def goes_on_before_it_has_taken_over(patch: pytest.MonkeyPatch) -> None:
    def decisions(s: situation.Situation) -> list[decision.Decision]:
        return [unowned.take_over(s), *plan._standing(s), *plan._rollout(s), *plan._around(s)]

    patch.setattr(plan, "_decisions", decisions)


ALL: tuple[mutation.Mutation, ...] = (
    switches_on_the_first_ready_pod,
    switches_without_min_ready,
    keeps_nothing_warm,
    retires_before_confirmation,
    notes_a_promotion_before_confirmation,
    forgets_rejections,
    never_lets_go,
    judges_the_live_revision,
    trims_the_predecessor,
    never_trims,
    takes_the_live_revision_for_a_bystander,
    switches_whatever_was_read,
    brings_the_service_back_on_what_is_asked_for,
    goes_back_without_a_new_attempt,
    promotes_again_and_again,
    starts_small,
    sets_no_alarm,
    wakes_at_once,
    trusts_a_clock_that_stands_still,
    promotes_in_its_sleep,
    promotes_in_a_pause,
    promotes_without_the_users_word,
    waits_for_a_word_that_was_given,
    shows_a_preview_that_only_starts,
    never_goes_back,
    goes_back_only_from_a_ready_version,
    goes_back_without_a_verdict,
    goes_back_to_no_ready_pod,
    takes_a_way_back_for_a_way_forward,
    lets_go_as_soon_as_it_is_back,
    keeps_no_pods_for_the_bake,
    takes_nothing_over,
    goes_on_before_it_has_taken_over,
    *mutants_of_room.ALL,
    *mutants_of_sources.ALL,
)
