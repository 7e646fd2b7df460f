"""Mistakes about what a source leads to: it is asked too often, or too seldom, or its answer is lost."""

from __future__ import annotations

import pytest

from slipway_operator.planning import actions, decision, plan, resolution, situation
from tests.planning import executor, mutation


def makes_what_nobody_knows_the_bytes_of(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(situation.Situation, "resolved", property(lambda s: s.resolver is not None))
    patch.setattr(executor, "knows", lambda *_: True)


def asks_again_what_was_refused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolution, "refused", lambda _: False)


def asks_without_a_pause(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolution, "retry_at", lambda _, ended: ended)


def asks_anew_what_is_being_asked(patch: pytest.MonkeyPatch) -> None:
    def resolve(s: situation.Situation) -> decision.Decision:
        if s.target is not None or s.resolved or s.hibernating:
            return decision.NOTHING
        return resolution._try(s, attempt=1)

    mutation.policy(patch, resolution.resolve, resolve)


def takes_the_name_of_the_last_try(patch: pytest.MonkeyPatch) -> None:
    def again(s: situation.Situation, *, attempt: int) -> decision.Decision:
        return decision.act(actions.CreateResolver(s.asked.revision, 1, attempt))

    patch.setattr(resolution, "_try", again)


def leaves_its_pods_behind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolution, "tidy", lambda _: decision.NOTHING)


def forgets_to_ask(patch: pytest.MonkeyPatch) -> None:
    mutation.policy(patch, resolution.resolve, lambda _: decision.NOTHING)


def tidies_up_what_is_still_needed(patch: pytest.MonkeyPatch) -> None:
    def tidy(s: situation.Situation) -> decision.Decision:
        standing = (r for r in s.seen.resolvers if r.ended_at is not None and not r.leaving)
        return decision.act(*(actions.DeleteResolver(r.name) for r in standing))

    patch.setattr(resolution, "tidy", tidy)


def resolves_in_a_pause(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "_PAUSED", (*plan._PAUSED, resolution.resolve))


ALL: tuple[mutation.Mutation, ...] = (
    makes_what_nobody_knows_the_bytes_of,
    asks_again_what_was_refused,
    asks_without_a_pause,
    asks_anew_what_is_being_asked,
    takes_the_name_of_the_last_try,
    leaves_its_pods_behind,
    forgets_to_ask,
    tidies_up_what_is_still_needed,
    resolves_in_a_pause,
)
