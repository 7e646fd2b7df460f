"""Something that pods need and that is not to be had: how much is needed, how much is free, who holds it.

Pure values, and the one question that follows: whose holding it keeps the pods away? Must not know how
nodes, pods or quotas look in the API.
"""

from __future__ import annotations

import dataclasses
import datetime

from slipway_operator.api import reasons
from slipway_operator.api.reasons import HolderKind

REASON = reasons.ConditionReason

NAMED = 3  # holders in a sentence; the status lists more


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    """One pod, as `namespace/name`, and how much it holds."""

    kind: HolderKind
    name: str
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Shortage:
    """Of one resource, for the pods of one revision that exist or should.

    `free` is None where the nodes may not be read: then only the holders in the model's namespace are known.
    """

    resource: str
    each: int  # that one pod needs
    needed: int  # that all pods need which are missing
    free: int | None
    holders: tuple[Holder, ...]  # those that give it up first come first
    since: datetime.datetime
    quota: str = ""  # the ResourceQuota that forbids more, where it is no node's want

    def held_by(self, kind: HolderKind) -> int:
        return sum(holder.count for holder in self.holders if holder.kind is kind)


def reason_of(shortage: Shortage) -> reasons.ConditionReason:
    """Who would have to let go, and the first of them suffices: what is ending, the old version, others."""
    if shortage.quota:
        return REASON.QUOTA_EXCEEDED
    within = shortage.free or 0
    if within >= shortage.each:  # another want than of this, or room on no single node
        return REASON.UNSCHEDULABLE
    for kind, reason in (
        (HolderKind.ENDING, REASON.HELD_BY_ENDING_PODS),
        (HolderKind.OLD_VERSION, REASON.HELD_BY_OLD_VERSION),
        (HolderKind.OTHER, REASON.HELD_BY_OTHERS),
    ):
        held = shortage.held_by(kind)
        within += held
        if held and within >= shortage.each:
            return reason
    return REASON.UNSCHEDULABLE


def sentence(shortage: Shortage) -> str:
    """What is lacking, how much is needed and free, since when, and who holds it."""
    free = "how many are free is not known" if shortage.free is None else f"{shortage.free} are free"
    where = f" within the quota {shortage.quota}" if shortage.quota else ""
    since = shortage.since.strftime("%H:%M:%SZ")
    text = f"{shortage.needed} {shortage.resource} are needed ({shortage.each} a pod), {free}{where}"
    return f"{text}, since {since}{_holders(shortage.holders)}"


def _holders(holders: tuple[Holder, ...]) -> str:
    if not holders:
        return ""
    named = [f"{holder.name} ({holder.kind}, {holder.count})" for holder in holders[:NAMED]]
    more = [f"{len(holders) - NAMED} more"] if len(holders) > NAMED else []
    return "; held by " + ", ".join([*named, *more])
