"""status: what is the case, as the operator writes it.

It is output. What the operator knows, it derives from the cluster; only the time at which a condition last
changed is taken over from what stands there.
"""

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from slipway_operator.api.part import Part
from slipway_operator.api.reasons import HolderKind, RolloutStep, VersionState

MESSAGE_LIMIT: Final = 2048
"""Characters of a message in the status; the rest of a longer one is cut off."""

HOLDERS: Final = 10
"""Pods in the list of those that hold what is lacking."""

VERSIONS: Final = 32
"""Revisions in the list of versions."""

AHEAD: Final = 10
"""Models in the list of those that come before."""

_WORD = r"^[A-Z][A-Za-z0-9]*$"


def _cut(message: object) -> object:
    if isinstance(message, str) and len(message) > MESSAGE_LIMIT:
        return message[: MESSAGE_LIMIT - 1] + "…"
    return message


def _to_the_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


Count = Annotated[int, Field(ge=0)]
Message = Annotated[str, Field(max_length=MESSAGE_LIMIT), BeforeValidator(_cut)]
Moment = Annotated[datetime, AfterValidator(_to_the_second)]
Revision = Annotated[str, Field(max_length=10, pattern=r"^[0-9a-f]{10}$")]
Digest = Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")]
ModelName = Annotated[str, Field(max_length=317)]
VersionName = Annotated[str, Field(max_length=40)]
Word = Annotated[str, Field(max_length=64, pattern=_WORD)]


class VersionStatus(Part):
    """One revision. `reason` says why it is rejected or blocked."""

    version: VersionName
    revision: Revision
    state: VersionState
    ready: Count | None = None
    since: Moment | None = None
    reason: Word | None = None
    message: Message | None = None
    url: Annotated[str, Field(max_length=512)] | None = None
    digest: Digest | None = None


class HolderStatus(Part):
    """A pod that holds what others wait for."""

    kind: HolderKind
    name: Annotated[str, Field(max_length=317)]
    count: Count


class BlockedStatus(Part):
    """Of what there is too little; `free` is absent where the nodes may not be read."""

    resource: Annotated[str, Field(max_length=317)]
    needed: Count
    needed_per_pod: Count | None = None
    free: Count | None = None
    quota: Annotated[str, Field(max_length=253)] | None = None
    holders: Annotated[tuple[HolderStatus, ...], Field(max_length=HOLDERS)] | None = None
    since: Moment | None = None


class QueueStatus(Part):
    """The place among the models that wait for their turn, from 1."""

    position: Count
    ahead: Annotated[tuple[ModelName, ...], Field(max_length=AHEAD)] | None = None


class RolloutStatus(Part):
    """The step that the rollout is at, since when, and what it waits for."""

    step: RolloutStep | None = None
    since: Moment | None = None
    message: Message | None = None
    blocked: BlockedStatus | None = None
    queue: QueueStatus | None = None


class Condition(Part):
    """A condition, as Kubernetes' own; `type` and `reason` are words of `reasons`."""

    type: Word
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Field(min_length=1, max_length=64, pattern=_WORD)]
    message: Message
    observed_generation: Count | None = None
    last_transition_time: Moment


class Status(Part):
    """The whole status. Active is what receives the requests, target what the rollout leads to."""

    observed_generation: Count | None = None
    active_version: VersionName | None = None
    target_version: VersionName | None = None
    active_revision: Revision | None = None
    target_revision: Revision | None = None
    url: Annotated[str, Field(max_length=512)] | None = None
    replicas: Count | None = None
    ready_replicas: Count | None = None
    selector: Annotated[str, Field(max_length=512)] | None = None
    versions: Annotated[tuple[VersionStatus, ...], Field(max_length=VERSIONS)] | None = None
    rollout: RolloutStatus | None = None
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16)] | None = None

    @classmethod
    def read(cls, body: object) -> "Status":
        """The view of a status. One that cannot be read counts as empty: it may be a newer operator's."""
        try:
            return cls.model_validate_json(json.dumps(body or {}))
        except ValidationError:
            return cls()

    def body(self) -> dict[str, Any]:
        """The status as the API takes it: camelCase, RFC 3339, and nothing that is None."""
        return self.model_dump(mode="json", exclude_none=True)
