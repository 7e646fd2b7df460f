"""What a user may name only from the administrator's lists: the image of the pods, and their service account.

A service account is listed as `name`, for every namespace, or as `namespace/name`. What runs already is not
touched when a list grows shorter: only a revision that does not exist yet is kept back.
"""

from __future__ import annotations

import dataclasses

from slipway_operator.api import reasons
from slipway_operator.domain import target


@dataclasses.dataclass(frozen=True, slots=True)
class Lists:
    """Of the administrator."""

    images: frozenset[str]
    service_accounts: frozenset[str] = frozenset()


def obstacle(
    lists: Lists, *, image: str | None, service_account: str | None, namespace: str
) -> target.Obstacle | None:
    """The first that is not allowed; what is not named is the administrator's own choice."""
    if image is not None and image not in lists.images:
        return target.Obstacle(
            reasons.ConditionReason.IMAGE_NOT_ALLOWED,
            f"spec.runtime.image {image} is not on the administrator's list: {_named(lists.images)}",
        )
    listed = _within(lists.service_accounts, namespace)
    if service_account is None or service_account in {n.removeprefix(f"{namespace}/") for n in listed}:
        return None
    return target.Obstacle(
        reasons.ConditionReason.SERVICE_ACCOUNT_NOT_ALLOWED,
        f"spec.serviceAccountName {service_account} is not on the administrator's list: {_named(listed)}",
    )


def _within(accounts: frozenset[str], namespace: str) -> frozenset[str]:
    """Those of other namespaces are nobody's business here."""
    return frozenset(name for name in accounts if "/" not in name or name.startswith(f"{namespace}/"))


def _named(allowed: frozenset[str]) -> str:
    return ", ".join(sorted(allowed)) or "it is empty"
