"""What is promised where pods are replaced by turns, or after an outage that is allowed, stated anew."""

from __future__ import annotations

from slipway_operator.domain import observed, target
from tests.planning import look


def under_way(taken: look.Look) -> bool:
    return taken.seen.service is not None and taken.seen.service.wide


def check_beginning(origin: str, taken: look.Look) -> None:
    """The selector widens from the live revision, when no third one has pods: all that it adds are two."""
    assert taken.asked.strategy is target.Strategy.ROLLING, "nobody asks for turns"
    assert taken.live is not None
    assert taken.live.id == origin
    third = [r.id for r in taken.seen.revisions if r.id not in (origin, taken.asked.revision)]
    assert not any(_seen(name, taken).pods for name in third), f"{third} would get requests again"


def check_end(to: str, taken: look.Look) -> None:
    """I3: it ends when one revision alone has pods, and all of them are ready."""
    assert not any(r.pods for r in taken.seen.revisions if r.id != to), "I1: other pods lose their requests"
    ready = len(_seen(to, taken).ready)
    assert ready >= taken.asked.replicas, f"I3: the turns end with {ready} ready pods of {to}"


def check(seen: observed.Revision, replicas: int, taken: look.Look) -> None:
    """I1: never fewer ready pods than replicas less maxUnavailable, nor more pods than maxSurge allows."""
    if taken.hibernating:
        return
    if replicas > seen.desired:
        pods = sum(max(r.desired, r.pods) for r in taken.seen.revisions if r is not seen)
        most = taken.asked.replicas + taken.asked.max_surge
        alone = not any(r.pods or r.desired for r in taken.seen.revisions if r is not seen)
        assert alone or pods + max(replicas, seen.pods) <= most, f"more than {most} pods"
        return
    least = taken.asked.replicas - taken.asked.max_unavailable
    least = max(least, 0 if taken.asked.allow_downtime else min(1, taken.asked.replicas))
    before = sum(min(len(r.ready), r.desired) for r in taken.seen.revisions)
    after = before - min(len(seen.ready), seen.desired) + min(len(seen.ready), replicas)
    assert after >= min(before, least), f"I1: {after} ready pods are left, and {least} must be"


def check_outage(revision: str, taken: look.Look) -> None:
    """I2: the live revision is taken down where the user allows it, for another one that has not failed."""
    assert taken.asked.allow_downtime, "I2: an outage that nobody allows"
    assert taken.asked.strategy is target.Strategy.RECREATE, "I2: an outage that nobody asks for"
    assert taken.live is not None
    assert taken.live.id == revision
    assert taken.asked.revision != revision, "I2: what is asked for is taken down"
    asked = taken.seen.revision(taken.asked.revision)
    verdict = (asked.rejected or asked.released) if asked else None
    assert verdict is None or verdict.retry_token != taken.asked.retry_token, (
        "I2: an outage for what has failed"
    )


def _seen(name: str, taken: look.Look) -> observed.Revision:
    revision = taken.seen.revision(name)
    assert revision is not None
    return revision
