"""The writes beside Deployments and traffic: what guards the pods, the pods that find out what a source leads
to, and what is put right about Services.

A part of actions.py, by which they are called.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class CreateResolver:
    """The pod that finds out what a revision's source leads to."""

    revision: str
    number: int
    attempt: int

    def __str__(self) -> str:
        return f"create resolver pod {self.number} of revision {self.revision}"


@dataclasses.dataclass(frozen=True, slots=True)
class DeleteResolver:
    """One whose answer is frozen, or of no use any more."""

    name: str

    def __str__(self) -> str:
        return f"delete the resolver pod {self.name}"


@dataclasses.dataclass(frozen=True, slots=True)
class CreateBudget:
    """The PodDisruptionBudget by which a node's drain takes one of this revision's pods at a time."""

    revision: str

    def __str__(self) -> str:
        return f"create the PodDisruptionBudget of revision {self.revision}"


@dataclasses.dataclass(frozen=True, slots=True)
class DeleteBudget:
    """Of a revision that has one pod; or one that somebody has edited, and that is then made anew."""

    revision: str
    edited: bool = False

    def __str__(self) -> str:
        why = "which somebody has edited" if self.edited else "which has one pod"
        return f"delete the PodDisruptionBudget of revision {self.revision}, {why}"


@dataclasses.dataclass(frozen=True, slots=True)
class ApplyAccess:
    """The model's NetworkPolicy, created or brought to what the administrator's settings say now."""

    def __str__(self) -> str:
        return "apply the NetworkPolicy"


@dataclasses.dataclass(frozen=True, slots=True)
class DeleteAccess:
    """The administrator wants no NetworkPolicy any more."""

    def __str__(self) -> str:
        return "delete the NetworkPolicy"


@dataclasses.dataclass(frozen=True, slots=True)
class MarkLentService:
    """Puts the model's label on a Service that its owner lends, and notes where it has led until now."""

    resource_version: str

    def __str__(self) -> str:
        return "mark the Service that its owner lends"


@dataclasses.dataclass(frozen=True, slots=True)
class MendService:
    """Puts right what somebody has edited of a Service of ours, but for where the requests go."""

    revision: str  # whose own Service it is; "" for the stable one

    def __str__(self) -> str:
        whose = f"Service of revision {self.revision}" if self.revision else "stable Service"
        return f"put right the {whose}, which somebody has edited"


@dataclasses.dataclass(frozen=True, slots=True)
class TakeOver:
    """Gives a child of the model's own, which has lost its owner, the one that it has now."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"take over the {self.kind} {self.name}, which has lost its owner"


@dataclasses.dataclass(frozen=True, slots=True)
class TakeOverSupporting(TakeOver):
    """The same of what a rollout can do without."""


Around = (
    CreateResolver
    | DeleteResolver
    | CreateBudget
    | DeleteBudget
    | ApplyAccess
    | DeleteAccess
    | MarkLentService
    | MendService
    | TakeOver
)
