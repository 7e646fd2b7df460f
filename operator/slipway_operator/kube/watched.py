"""Which objects are watched: per kind, the label that the API server filters by.

Must not know how a watch works.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from slipway_operator.api import labels


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A kind of child."""

    group: str
    version: str
    plural: str
    label: str
    value: str = ""  # "": any

    @property
    def resource(self) -> tuple[str, str, str]:
        return self.group, self.version, self.plural

    @property
    def selector(self) -> str:
        """As the API takes it."""
        return f"{self.label}={self.value}" if self.value else self.label

    def covers(self, found: Mapping[str, str]) -> bool:
        """Whether an object with these labels comes along."""
        return self.label in found and self.value in ("", found[self.label])


# A Service may belong to somebody else, who lends it to the model; what we create is managed by us.
CHILDREN: Final = (
    Kind("apps", "v1", "deployments", labels.MANAGED_BY, labels.MANAGED_BY_VALUE),
    Kind("", "v1", "pods", labels.MANAGED_BY, labels.MANAGED_BY_VALUE),
    Kind("", "v1", "services", labels.MODEL),
    Kind("discovery.k8s.io", "v1", "endpointslices", labels.MODEL),
)
LEASES: Final = ("coordination.k8s.io", "v1", "leases")


def covers(plural: str, found: Mapping[str, str]) -> bool:
    """Of the kinds that are no children, all that we touch is watched."""
    return all(kind.covers(found) for kind in CHILDREN if kind.plural == plural)


def model_of(found: Mapping[str, str]) -> str | None:
    """The model that a child with these labels belongs to."""
    return found.get(labels.MODEL) or found.get(labels.RESOLVES)
