"""When an attempt is over without success.

A version that is bad (wrong digest, wrong answers, repeated crash) is rejected at once, and stays so until
the revision or the retry token changes. One that could not come up (no room, no secret, no image, no S3)
gives back what it holds at its deadline and is tried again after a while. The live revision is never judged:
its pods are all there is. Nor is any revision whose ready pods nobody could replace.
"""

from __future__ import annotations

import datetime

from slipway_operator.api import reasons
from slipway_operator.domain import backoff, observed
from slipway_operator.planning import actions, decision, situation

LONGEST_PAUSE_SECONDS = 3600


def judge(s: situation.Situation) -> decision.Decision:
    """Ends the target's attempt if it has failed."""
    target = s.target
    if target is None or s.hibernating:
        return decision.NOTHING
    if s.target_is_live:
        return _watch(s, target)
    if not under_way(target) or _is_needed(s, target):
        return decision.NOTHING
    worst = target.worst
    if worst is not None and worst.severity is observed.Severity.REJECTING:
        return decision.act(actions.Reject(target.id, verdict(s, worst)), actions.Scale(target.id, 0))
    if len(target.ready) >= s.enough:
        return decision.NOTHING
    if not is_late(s, target):
        return decision.wait_until(deadline(s, target))
    why = why_late(s, target, wanted=s.enough)
    return decision.act(actions.Release(target.id, verdict(s, why)), actions.Scale(target.id, 0))


def under_way(target: observed.Revision) -> bool:
    """An attempt that has begun and has neither ended nor had the traffic."""
    ended = target.rejected is not None or target.released is not None
    return not ended and not target.attempt_spent and target.desired > 0


def _is_needed(s: situation.Situation, target: observed.Revision) -> bool:
    """Its ready pods still get requests, or are about to, since no others could answer them."""
    return s.gets_requests(target) or (s.live_ready == 0 and bool(target.ready))


def is_late(s: situation.Situation, target: observed.Revision) -> bool:
    """The attempt has had all the time that it may take."""
    return s.now >= deadline(s, target)


def may_try_again(s: situation.Situation, target: observed.Revision) -> bool:
    """An ended attempt may be repeated: on the user's word, or when a release has lasted long enough."""
    verdict = target.rejected or target.released
    if verdict is None:
        return True
    if s.asked.retry_token != verdict.retry_token:
        return True
    if s.recreating:  # it would cost another outage
        return False
    return target.rejected is None and s.now >= retry_at(s, verdict)


def retry_at(s: situation.Situation, verdict: observed.Verdict) -> datetime.datetime:
    """The pause doubles with each attempt, from the progress deadline up to an hour."""
    first = s.asked.progress_deadline
    pause = backoff.pause(verdict.attempts, first=first, longest=LONGEST_PAUSE_SECONDS)
    return situation.after(verdict.at, pause)


def _watch(s: situation.Situation, target: observed.Revision) -> decision.Decision:
    """The first revision proves itself in place: nothing is taken from it, but its lateness is told."""
    if (target.attempt_spent and not s.moved_by_hand) or is_late(s, target):
        return decision.NOTHING
    return decision.wait_until(deadline(s, target))


def deadline(s: situation.Situation, target: observed.Revision) -> datetime.datetime:
    """The end of the time that an attempt may take, counted from its beginning.

    One that waits for its promotion may have been complete for days when it loses a pod: then it counts from
    that loss, and not at all while a pod is about to be made.
    """
    begun = target.attempt_started_at
    if s.asked.manual and target.ready:
        begun = max(begun, target.short_since or s.now)
    return situation.after(begun, s.asked.progress_deadline)


def why_late(s: situation.Situation, target: observed.Revision, *, wanted: int) -> observed.Problem:
    """What is known to keep it, or that nothing is."""
    if target.worst is not None:
        return target.worst
    return observed.Problem(
        reason=reasons.ConditionReason.PROGRESS_DEADLINE_EXCEEDED,
        message=f"{len(target.ready)} of {wanted} pods were ready after {s.asked.progress_deadline} s",
        object=f"revision {target.id}",
        severity=observed.Severity.BLOCKING,
    )


def verdict(s: situation.Situation, problem: observed.Problem) -> observed.Verdict:
    """The end of the target's attempt, for that reason."""
    target = s.target
    return observed.Verdict(
        reason=problem.reason,
        message=f"{problem.object}: {problem.message}",
        at=s.now,
        retry_token=s.asked.retry_token,
        attempts=target.attempt_number if target else 1,
        last_words=target.last_words if target else "",
    )
