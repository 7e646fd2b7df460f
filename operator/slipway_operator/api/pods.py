"""The part of a pod that a user may shape: a curated subset of Kubernetes' own fields, under their own names.

What is not here (commands, volumes, environment, security contexts) cannot be asked for.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from slipway_operator.api import names
from slipway_operator.api.part import Part, matching

_NATIVE_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_is_device = matching(names.DEVICE)


def _quantity(value: object, parse: ValidatorFunctionWrapHandler) -> object:
    """One sentence in place of the two that an integer or a text would give."""
    try:
        return parse(value)
    except ValidationError:
        raise ValueError(
            "every quantity in spec.resources must be a whole number or a text such as '1', '500m' or '4Gi'"
        ) from None


LabelValue = Annotated[str, Field(max_length=names.LONGEST_LABEL_VALUE, pattern=rf"^{names.LABEL_VALUE}$")]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=rf"^{names.SUBDOMAIN}$")]
Quantity = Annotated[
    Annotated[int, Field(ge=0)] | Annotated[str, Field(max_length=32, pattern=rf"^{names.QUANTITY}$")],
    WrapValidator(_quantity),
]
Quantities = Annotated[Mapping[str, Quantity], Field(max_length=8)]


class Resources(Part):
    """What a pod takes of its node, as Kubernetes' ResourceRequirements."""

    limits: Quantities | None = None
    requests: Quantities | None = None

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for field, quantities in (("limits", self.limits), ("requests", self.requests)):
            if not all(_is_resource(name) for name in quantities or {}):
                raise ValueError(
                    f"every name in spec.resources.{field} must be cpu, memory, ephemeral-storage, or that "
                    "of a device such as nvidia.com/gpu"
                )
        return self

    @model_validator(mode="after")
    def _devices_are_not_overcommitted(self) -> Self:
        limits = self.limits or {}
        for name, quantity in (self.requests or {}).items():
            if "/" in name and (name not in limits or str(limits[name]) != str(quantity)):
                raise ValueError(
                    "a device such as nvidia.com/gpu in spec.resources.requests must stand in "
                    "spec.resources.limits with the same number"
                )
        return self


def _is_resource(name: str) -> bool:
    return name in _NATIVE_RESOURCES or ("kubernetes.io/" not in name and _is_device(name))


class Toleration(Part):
    """A toleration, as Kubernetes' own."""

    key: Annotated[str, Field(max_length=317, pattern=rf"^({names.LABEL_KEY})?$")] | None = None
    operator: Literal["Equal", "Exists"] | None = None
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Annotated[int, Field(ge=0, le=86400)] | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        toleration = "a toleration in spec.tolerations"
        if not self.key and self.operator != "Exists":
            raise ValueError(f"{toleration} without a key must have the operator Exists")
        if self.operator == "Exists" and self.value:
            raise ValueError(f"{toleration} with the operator Exists must not have a value")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError(f"{toleration} with tolerationSeconds must have the effect NoExecute")
        return self


class TopologySpreadConstraint(Part):
    """A rule of spreading. It has no labelSelector: the pods of one revision are counted."""

    max_skew: Annotated[int, Field(ge=1, le=64)]
    topology_key: Annotated[str, Field(min_length=1, max_length=317, pattern=rf"^{names.LABEL_KEY}$")]
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]


class ImagePullSecret(Part):
    """A reference to a Secret in the model's namespace."""

    name: ObjectName
