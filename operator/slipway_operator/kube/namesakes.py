"""Whatever bears a name that the model needs, and belongs to somebody else. Pure.

Names count only while they are needed: an object that merely copied our labels is in nobody's way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from slipway_operator.api import labels, spec
from slipway_operator.api import model as api
from slipway_operator.domain import observed
from slipway_operator.kube import lending, ownership
from slipway_operator.rendering import identity

Body = dict[str, Any]
Name = tuple[str, str]  # kind and name

CHILD = observed.Child


@dataclasses.dataclass(frozen=True, slots=True)
class Need:
    """What a name is needed for."""

    child: observed.Child
    revision: str = ""


def needed(
    model: api.InferenceModel, *, asked: str, standing: Iterable[str], restricted: bool
) -> dict[Name, Need]:
    """Each name that the model, the revision `asked` for or one of the `standing` ones needs."""
    names = {("Service", model.name): Need(CHILD.STABLE)}
    if model.spec.rollout.promotion is spec.Promotion.MANUAL:
        names["Service", identity.preview_name(model.name)] = Need(CHILD.PREVIEW)
    if restricted:
        names["NetworkPolicy", identity.access_name(model.name)] = Need(CHILD.POLICY)
    names["Deployment", identity.child_name(model.name, asked)] = Need(CHILD.DEPLOYMENT, asked)
    for revision in {asked, *standing}:
        child = identity.child_name(model.name, revision)
        names["Service", child] = Need(CHILD.PROOF, revision)
        if model.spec.replicas > 1:
            names["PodDisruptionBudget", child] = Need(CHILD.BUDGET, revision)
    return names


def foreign(
    family: ownership.Family, found: Iterable[tuple[str, Body]], names: Mapping[Name, Need]
) -> Iterator[observed.Foreign]:
    """Of what was found the namesakes, but not what an earlier namesake of the owner has left.

    That is taken over, or collected.
    """
    for kind, body in found:
        name = body["metadata"]["name"]
        need = names.get((kind, name))
        if need is None or (kind == "Service" and lending.is_borrowed(body, family.model)):
            continue
        if not family.is_in_nobodys_way(kind, body):
            yield observed.Foreign(kind, name, _owner(body), need.child, need.revision)


def _owner(child: Body) -> str:
    if labels.ADOPT in child["metadata"].get("annotations", {}) and (why := lending.obstacle(child)):
        return f"somebody else, who lends it, but {why}"
    for reference in child["metadata"].get("ownerReferences", []):
        return f"{reference['kind']} {reference['name']} ({reference['uid']})"
    manager = child["metadata"].get("labels", {}).get(labels.MANAGED_BY)
    return f"somebody else ({manager})" if manager else "somebody else"
