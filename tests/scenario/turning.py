"""The writes that carry a rollout on, each with how the API server names it and how a recording shows it.

Must not know in which order they come, nor what goes wrong about them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from slipway_operator.api import labels
from slipway_operator.domain.revision import child_name
from tests.scenario.ambush import Awaited
from tests.scenario.manifest import NAME
from tests.scenario.seen import Seen


@dataclass(frozen=True, slots=True)
class Turn:
    """One write: to be met before it is made, and to be seen when it has been."""

    awaited: Awaited
    is_made: Callable[[Seen], bool]


def created(revision: str) -> Turn:
    """The revision's Deployment."""
    return Turn(
        Awaited("CREATE", "apps", "deployments", _named("object", revision)),
        lambda seen: bool(seen.deployment(revision)),
    )


def selected(revision: str) -> Turn:
    """The stable Service selects this revision alone, and did not."""
    now, before = (_selects(each, revision) for each in ("object", "oldObject"))
    return Turn(_of_service(f"{now} && !({before})"), lambda seen: seen.selected == revision)


def widened() -> Turn:
    """The stable Service selects every pod of the model."""
    one = f"'{labels.REVISION}' in "
    condition = f"!({one}object.spec.selector) && {one}oldObject.spec.selector"
    return Turn(_of_service(condition), lambda seen: bool(seen.service) and not seen.selected)


def scaled(revision: str, replicas: int) -> Turn:
    """The revision's Deployment asks for so many pods, and asked for another number."""
    # A scale of 0 is a field that is left out.
    now, before = (
        f"(has({each}.spec.replicas) ? {each}.spec.replicas : 0)" for each in ("object", "oldObject")
    )
    condition = f"{_named('object', revision)} && {now} == {replicas} && {before} != {replicas}"
    return Turn(
        Awaited("UPDATE", "apps", "deployments/scale", condition),
        lambda seen: bool(seen.deployment(revision)) and seen.replicas(revision) == replicas,
    )


def trimmed(revision: str) -> Turn:
    """The revision's Deployment is deleted."""
    return Turn(
        Awaited("DELETE", "apps", "deployments", _named("oldObject", revision)),
        lambda seen: not seen.deployment(revision),
    )


def _named(which: str, revision: str) -> str:
    return f"{which}.metadata.name == '{child_name(NAME, revision)}'"


def _of_service(condition: str) -> Awaited:
    return Awaited("UPDATE", "", "services", f"object.metadata.name == '{NAME}' && {condition}")


def _selects(which: str, revision: str) -> str:
    key = f"'{labels.REVISION}'"
    return f"{key} in {which}.spec.selector && {which}.spec.selector[{key}] == '{revision}'"
