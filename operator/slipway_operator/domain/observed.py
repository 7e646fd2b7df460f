"""What was seen of one model in the cluster, as values: the planner's only view of the world.

Must not know how it was read (no API client, no JSON) nor what will be done about it.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum

from slipway_operator.api import reasons
from slipway_operator.domain import fleet, resolution, scarcity, unowned


class Severity(enum.IntEnum):
    """What a problem means for the attempt; the worst is told first."""

    PASSING = 0  # may mend itself: a first crash, an image being pulled again
    BLOCKING = 1  # somebody has to do something: no room, no secret, no such object
    REJECTING = 2  # the version itself is bad; no waiting will help


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """Why a revision has too few ready pods: one finding, about one object."""

    reason: reasons.ConditionReason
    message: str
    object: str
    severity: Severity


@dataclasses.dataclass(frozen=True, slots=True)
class ReadyPod:
    """A pod that an EndpointSlice of its revision lists as ready."""

    uid: str
    since: datetime.datetime


class Fault(enum.Enum):
    """What a pod does of itself that had been well; not what its node does, nor who takes it away."""

    CRASHED = "crashed"
    UNREADY = "ceased to be ready"


@dataclasses.dataclass(frozen=True, slots=True)
class Symptom:
    """One pod's fault, and when it was seen last."""

    fault: Fault
    at: datetime.datetime
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class Answers:
    """What a revision's present pods have answered, as they count it themselves."""

    failed: int  # errors of the server's own; refusals for lack of time or room are none
    total: int


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """How long a revision's present pods took for the answers that they have computed, all together."""

    answers: int = 0
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        """Seconds an answer."""
        return self.seconds / self.answers if self.answers else 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """Why an attempt was ended, written on the Deployment it is about (state is never read from status)."""

    reason: str  # a ConditionReason, or the word of a newer operator
    message: str
    at: datetime.datetime
    retry_token: str = ""
    attempts: int = 1
    last_words: str = ""  # of a pod that was still running when it was let go


@dataclasses.dataclass(frozen=True, slots=True)
class Revision:
    """One version's Deployment and what stands around it."""

    id: str
    version: str
    desired: int  # spec.replicas of the Deployment
    pods: int  # that exist, also those still terminating
    ready: tuple[ReadyPod, ...]
    has_service: bool
    attempt_started_at: datetime.datetime
    attempt_number: int
    latched: int  # replicas wanted when the attempt started
    beside: int | None = None  # the live one's at that moment, where more were asked for with the attempt
    promoted_at: datetime.datetime | None = None
    rejected: Verdict | None = None
    released: Verdict | None = None
    problems: tuple[Problem, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    answers: Answers | None = None  # since it is watched; None where its pods could not be asked
    answers_lately: Answers | None = None  # of these, in the last seconds
    pace: Pace = Pace()  # nothing where its pods were not asked
    slower: str = ""  # than what served before, as has been told
    last_words: str = ""  # what a pod of it that is not ready has logged, read before it is let go
    shortage: scarcity.Shortage | None = None  # of what there is too little for its pods
    # When the last of the pods that it lacks was made, fell or was refused; None also while what it lacks is
    # about to be made.
    short_since: datetime.datetime | None = None
    spoilt_service: bool = False  # somebody has edited its Service
    has_budget: bool = False  # a PodDisruptionBudget of its own
    spoilt_budget: bool = False  # that somebody has edited
    edited_by: str = ""  # who has changed its pod template since it was made
    digest: str = ""  # that its pods accept, as its source had it when it was made

    @property
    def worst(self) -> Problem | None:
        return max(self.problems, key=lambda problem: problem.severity, default=None)

    @property
    def attempt_spent(self) -> bool:
        """The traffic has had this attempt: going there again is a new one."""
        return self.promoted_at is not None and self.promoted_at >= self.attempt_started_at

    def settled(self, *, seconds: int, now: datetime.datetime) -> int:
        """Ready pods that have been so for `seconds`."""
        return sum(1 for pod in self.ready if (now - pod.since).total_seconds() >= seconds)


@dataclasses.dataclass(frozen=True, slots=True)
class Resolver:
    """A pod that finds out what a revision's source leads to, and what it says of it."""

    name: str
    revision: str
    number: int  # in the order in which they were made
    attempt: int  # of how many tries, since the first or since the user's word, this is the last
    retry_token: str  # that stood in the spec when it was made
    made_at: datetime.datetime
    ended_at: datetime.datetime | None = None
    source: resolution.Resolved | None = None
    problem: Problem | None = None
    leaving: bool = False  # its deletion has begun


EVERY_POD = "*"


@dataclasses.dataclass(frozen=True, slots=True)
class Switch:
    """The last move of the traffic, as the Service carries it; to EVERY_POD when its selector was widened."""

    origin: str | None
    to: str
    at: datetime.datetime
    back: bool = False  # to what had served before: nothing new that would have to be watched


@dataclasses.dataclass(frozen=True, slots=True)
class TrafficService:
    """The stable Service: where the clients' requests go."""

    revision: str | None  # that its selector names; None when the selector is none of ours
    resource_version: str
    switch: Switch | None
    ready: frozenset[str]  # pod uids that its EndpointSlices list as ready
    foreign: frozenset[str]  # of these (or not ready but serving), pods of another revision
    wide: bool = False  # it selects every pod of the model, by a move of ours
    lent: bool = False  # it is somebody else's, who lets Slipway decide where it leads
    marked: bool = False  # it bears the model's label, by which its changes are heard of
    spoilt: bool = False  # somebody has edited what of it is ours, beside the selector


@dataclasses.dataclass(frozen=True, slots=True)
class PreviewService:
    """Where people try a version that waits for its promotion."""

    revision: str | None  # as in the stable Service
    resource_version: str


class Access(enum.Enum):
    """The model's NetworkPolicy, as compared with what the administrator's settings make of it."""

    ABSENT = "absent"
    OUTDATED = "outdated"
    CURRENT = "current"


class Child(enum.Enum):
    """What a name is needed for."""

    DEPLOYMENT = "a revision's Deployment"
    PROOF = "a revision's own Service"
    STABLE = "the stable Service"
    PREVIEW = "the preview Service"
    BUDGET = "a revision's PodDisruptionBudget"
    POLICY = "the NetworkPolicy"


@dataclasses.dataclass(frozen=True, slots=True)
class Foreign:
    """An object that bears a name which is needed, and belongs to somebody else. It is never touched."""

    kind: str
    name: str
    owner: str
    child: Child
    revision: str = ""  # that needs the name; "" where the model does


@dataclasses.dataclass(frozen=True, slots=True)
class Observed:
    """Everything the planner knows."""

    service: TrafficService | None
    revisions: tuple[Revision, ...]
    foreign: tuple[Foreign, ...] = ()
    preview: PreviewService | None = None
    watched_since: datetime.datetime | None = None  # by this process, without a break
    access: Access = Access.ABSENT
    turn: fleet.Place | None = None  # in the queue, while it may not begin a rollout
    resolvers: tuple[Resolver, ...] = ()
    unowned: tuple[unowned.Unowned, ...] = ()
    elsewhere: TrafficService | None = None  # somebody else's, of the model's name, that leads to ours

    def revision(self, name: str | None) -> Revision | None:
        return next((r for r in self.revisions if r.id == name), None)

    def with_revision(self, known: Revision) -> Observed:
        """The same, with more known of one revision."""
        revisions = tuple(known if r.id == known.id else r for r in self.revisions)
        return dataclasses.replace(self, revisions=revisions)
