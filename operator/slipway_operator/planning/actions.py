"""All that a plan may ask for: a closed union of small values, one API write each.

Must not know how a write is made. Its text is what people read of it in logs.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Final

from slipway_operator.planning.notes import MarkPromoted as MarkPromoted
from slipway_operator.planning.notes import Note as Note
from slipway_operator.planning.notes import NoteSlowness as NoteSlowness
from slipway_operator.planning.notes import Reject as Reject
from slipway_operator.planning.notes import Release as Release
from slipway_operator.planning.notes import StartAttempt as StartAttempt
from slipway_operator.planning.surroundings import ApplyAccess as ApplyAccess
from slipway_operator.planning.surroundings import Around as Around
from slipway_operator.planning.surroundings import CreateBudget as CreateBudget
from slipway_operator.planning.surroundings import CreateResolver as CreateResolver
from slipway_operator.planning.surroundings import DeleteAccess as DeleteAccess
from slipway_operator.planning.surroundings import DeleteBudget as DeleteBudget
from slipway_operator.planning.surroundings import DeleteResolver as DeleteResolver
from slipway_operator.planning.surroundings import MarkLentService as MarkLentService
from slipway_operator.planning.surroundings import MendService as MendService
from slipway_operator.planning.surroundings import TakeOver as TakeOver
from slipway_operator.planning.surroundings import TakeOverSupporting as TakeOverSupporting


@dataclasses.dataclass(frozen=True, slots=True)
class CreateDeployment:
    """The target's Deployment, with the first attempt written on it, and what its source was found to be."""

    revision: str
    replicas: int
    at: datetime.datetime
    beside: int | None = None  # what the live one has and keeps, where more is asked for with this attempt

    def __str__(self) -> str:
        return f"create the Deployment of revision {self.revision} with {self.replicas} replicas"


@dataclasses.dataclass(frozen=True, slots=True)
class CreateRevisionService:
    """The Service whose EndpointSlices prove that this revision's pods are ready."""

    revision: str

    def __str__(self) -> str:
        return f"create the Service of revision {self.revision}"


@dataclasses.dataclass(frozen=True, slots=True)
class CreateTrafficService:
    """The stable Service, selecting a revision from the start."""

    to: str
    again: bool = dataclasses.field(default=False, compare=False)  # for people: there was one before

    def __str__(self) -> str:
        return f"create the stable Service, selecting revision {self.to}"


@dataclasses.dataclass(frozen=True, slots=True)
class SwitchTraffic:
    """Moves the stable Service's selector, if the Service is still the one that was seen."""

    origin: str | None
    to: str
    at: datetime.datetime
    resource_version: str
    back: bool = False  # to what served before

    def __str__(self) -> str:
        way = "back from" if self.back else "from"
        return f"move the traffic {way} revision {self.origin or 'none'} to {self.to}"


@dataclasses.dataclass(frozen=True, slots=True)
class WidenTraffic:
    """Lets the stable Service select every pod of the model, while they are replaced by turns."""

    origin: str
    at: datetime.datetime
    resource_version: str

    def __str__(self) -> str:
        return f"let the Service select all pods of the model, and no longer revision {self.origin} alone"


@dataclasses.dataclass(frozen=True, slots=True)
class CreatePreviewService:
    """The Service for trying what waits for its promotion."""

    to: str

    def __str__(self) -> str:
        return f"create the preview Service, selecting revision {self.to}"


@dataclasses.dataclass(frozen=True, slots=True)
class PointPreview:
    """Moves the preview Service's selector, if the Service is still the one that was seen."""

    to: str
    resource_version: str

    def __str__(self) -> str:
        return f"point the preview Service at revision {self.to}"


@dataclasses.dataclass(frozen=True, slots=True)
class Scale:
    """Sets a Deployment's replicas."""

    revision: str
    replicas: int

    def __str__(self) -> str:
        return f"scale revision {self.revision} to {self.replicas} replicas"


@dataclasses.dataclass(frozen=True, slots=True)
class GiveWay:
    """Scales a live revision to 0 that serves nobody, if it still has no ready pod."""

    revision: str

    def __str__(self) -> str:
        return f"take the pods of revision {self.revision}, which serves nobody, to make room"


@dataclasses.dataclass(frozen=True, slots=True)
class TakeDown:
    """Scales the live revision to 0 before its successor has a pod: an outage, which the user allows."""

    revision: str

    def __str__(self) -> str:
        return f"take down revision {self.revision} to recreate the model"


@dataclasses.dataclass(frozen=True, slots=True)
class DeleteRevision:
    """Removes a retired revision's Deployment, and with it all that the Deployment owns."""

    revision: str

    def __str__(self) -> str:
        return f"delete the retired revision {self.revision}"


BEST_EFFORT: Final = (
    CreateBudget,
    DeleteBudget,
    ApplyAccess,
    DeleteAccess,
    CreatePreviewService,
    PointPreview,
    MendService,
    MarkLentService,
    DeleteResolver,
    TakeOverSupporting,
    NoteSlowness,
)
"""What a rollout can do without: one that is refused has a condition of its own, and stops nothing else."""


Action = (
    CreateDeployment
    | CreateRevisionService
    | Around
    | CreateTrafficService
    | SwitchTraffic
    | WidenTraffic
    | CreatePreviewService
    | PointPreview
    | Note
    | Scale
    | GiveWay
    | TakeDown
    | DeleteRevision
)
