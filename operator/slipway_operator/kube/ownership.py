"""Whose a child is: the model's own, one of its own that has lost its owner, or somebody else's. Pure.

Children lose their owner when their model is deleted and they are not (`--cascade=orphan`), or when a backup
is restored: then they have no owner, or one of another uid, which cannot live any more. Such a child is taken
over. Must not know what a child is needed for.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.rendering import deployment, identity

Body = dict[str, Any]


class Standing(enum.Enum):
    """What its ownerReferences say of a child."""

    OWNED = "it is its owner's"
    COLLECTED = "it was a namesake's of its owner, and is collected if nobody takes it over"
    UNOWNED = "nothing controls it"
    FOREIGN = "something else controls it"


def standing(child: Body, owner: identity.Owner) -> Standing:
    """Only a namesake of `owner` is known to be dead: two of one name cannot live."""
    if is_owned(child, owner.uid):
        return Standing.OWNED
    controller = next((r for r in _references(child) if r.get("controller")), None)
    if controller is not None and not _is_of(controller, owner):
        return Standing.FOREIGN
    named = any(_is_of(r, owner) for r in _references(child))
    return Standing.COLLECTED if named else Standing.UNOWNED


def is_owned(child: Body, uid: str) -> bool:
    """Controlled by the object of that uid."""
    return any(r["uid"] == uid and r.get("controller") for r in _references(child))


@dataclasses.dataclass(frozen=True, slots=True)
class Family:
    """A model and those of its Deployments that are its own, or are to be: they own the rest."""

    model: api.InferenceModel
    deployments: tuple[Body, ...]

    @classmethod
    def of(cls, model: api.InferenceModel, deployments: list[Body]) -> Family:
        """Of all the Deployments that were read."""
        alone = cls(model, ())
        return cls(model, tuple(d for d in deployments if alone.has("Deployment", d)))

    def has(self, kind: str, child: Body) -> bool:
        """It is the family's own, or has lost its owner and is to be taken over."""
        owner = self.owner_of(kind, child)
        return owner is not None and (is_owned(child, owner.uid) or self._has_lost(kind, child, owner))

    def is_orphan(self, kind: str, child: Body) -> bool:
        """It has lost its owner and is to be taken over."""
        owner = self.owner_of(kind, child)
        return owner is not None and self._has_lost(kind, child, owner)

    def is_in_nobodys_way(self, kind: str, child: Body) -> bool:
        """Its own, to be taken over, or about to go: under its name nothing of somebody else's stands.

        Also what waits for its own Deployment to come first, as a backup may be restored in any order.
        """
        owner = self.owner_of(kind, child) or self._deployment(child)
        match standing(child, owner):
            case Standing.FOREIGN:
                return False
            case Standing.UNOWNED:
                return is_marked(kind, child, self.model.name)
            case _:
                return True

    def owner_of(self, kind: str, child: Body) -> identity.Owner | None:
        """The model, or the Deployment whose name it bears; None where the family has none of that name."""
        name, model = child["metadata"]["name"], self.model.name
        of_model = (model, identity.preview_name(model))
        if kind in ("Deployment", "NetworkPolicy") or (kind == "Service" and name in of_model):
            return identity.owner_of(self.model)
        owner = self._deployment(child)
        return owner if owner.uid else None

    def _deployment(self, child: Body) -> identity.Owner:
        """Of the child's name; without a uid where there is none."""
        name = child["metadata"]["name"]
        found = (d["metadata"]["uid"] for d in self.deployments if d["metadata"]["name"] == name)
        return identity.Owner("apps/v1", "Deployment", name, next(found, ""))

    def _has_lost(self, kind: str, child: Body, owner: identity.Owner) -> bool:
        if "deletionTimestamp" in child["metadata"] or not is_marked(kind, child, self.model.name):
            return False
        match standing(child, owner):
            case Standing.UNOWNED:
                return True
            case Standing.COLLECTED:  # the collector may be half way: no Service is kept that leads to nobody
                return kind != "Service" or self._leads_to_a_deployment(child)
            case _:
                return False

    def _leads_to_a_deployment(self, service: Body) -> bool:
        wanted = service["spec"]["selector"].items()
        return any(wanted <= d["spec"]["selector"]["matchLabels"].items() for d in self.deployments)


def is_marked(kind: str, child: Body, model: str) -> bool:
    """It bears the name, the labels and the selector that a child of that kind is made with.

    Of a Deployment its pods' labels and their container as well, and not the whole template: another version
    of the operator may have rendered it. Whoever could forge this may run any pod here anyway; what is to be
    kept out is what looks like ours by accident, or was ours and has been made something else.
    """
    metadata, spec = child["metadata"], child.get("spec", {})
    found = metadata.get("labels", {})
    if (found.get(labels.MODEL), found.get(labels.MANAGED_BY)) != (model, labels.MANAGED_BY_VALUE):
        return False
    revision = found.get(labels.REVISION, "")
    own = bool(revision) and metadata["name"] == identity.child_name(model, revision)
    of_one = identity.selector(model, revision)
    match kind:
        case "Deployment":
            return own and labels.VERSION in found and _makes_our_pods(spec, of_one)
        case "PodDisruptionBudget":
            return own and _selects(spec.get("selector"), of_one)
        case "NetworkPolicy":
            named = metadata["name"] == identity.access_name(model)
            return named and _selects(spec.get("podSelector"), identity.wide_selector(model))
        case _:
            leads_to = spec.get("selector") or {}
            return leads_to == of_one if own else _is_of_model(metadata["name"], leads_to, model)


def taken_over(child: Body, owner: identity.Owner) -> Body:
    """The patch that gives it its owner, if nobody was faster. Owners that do not control it are kept."""
    kept = [r for r in _references(child) if not _is_of(r, owner)]
    metadata = child["metadata"]
    return {
        "metadata": {
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "ownerReferences": [*kept, identity.reference(owner)],
        }
    }


def _makes_our_pods(spec: Mapping[str, Any], of_one: dict[str, str]) -> bool:
    template = spec.get("template", {})
    pods = template.get("metadata", {}).get("labels", {})
    containers = {c["name"] for c in template.get("spec", {}).get("containers", [])}
    ours = of_one.items() <= pods.items() and deployment.CONTAINER in containers
    return ours and _selects(spec.get("selector"), of_one)


def _selects(selector: Mapping[str, Any] | None, wanted: dict[str, str]) -> bool:
    return selector == {"matchLabels": wanted}


def _is_of_model(name: str, leads_to: dict[str, str], model: str) -> bool:
    """The stable Service or the preview, as it leads to one revision, or to all of them."""
    of_one = identity.selector(model, leads_to.get(labels.REVISION, ""))
    ours = leads_to in (of_one, identity.wide_selector(model))
    return ours and name in (model, identity.preview_name(model))


def _is_of(reference: Mapping[str, Any], owner: identity.Owner) -> bool:
    """The owner itself, or one that bore its name before it; whatever the version of the API then was."""
    group = str(reference.get("apiVersion", "")).rpartition("/")[0]
    wanted = owner.api_version.rpartition("/")[0]
    return (group, reference["kind"], reference["name"]) == (wanted, owner.kind, owner.name)


def _references(child: Body) -> list[Body]:
    found: list[Body] = child["metadata"].get("ownerReferences") or []
    return found
