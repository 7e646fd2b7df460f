"""The closed sets of words in statuses and events. Each is part of the API: alerts are built on them.

Names only: which reason follows from what is decided by the planner.
"""

import re
from enum import StrEnum
from typing import Final


class ConditionType(StrEnum):
    """The types of the conditions in the status."""

    READY = "Ready"  # the version asked for receives the requests and is ready: the summary
    SERVING = "Serving"  # requests are answered, by whatever version: the truth about traffic
    PROGRESSING = "Progressing"  # a rollout is under way and moves on
    RECONCILING = "Reconciling"  # only while true: the end state is not reached yet (kstatus reads it)
    STALLED = "Stalled"  # only while true: nothing moves until somebody acts (kstatus reads it)
    SOURCE_DRIFTED = (
        "SourceDrifted"  # only while true: what serves could not start anew, its source has changed
    )
    SUPPORTING_RESOURCES_REFUSED = "SupportingResourcesRefused"  # only while true: it is done without them


class ConditionReason(StrEnum):
    """Why a condition has its status."""

    # the rollout goes its way
    SERVING = "Serving"  # the selected revision has ready pods
    ROLLOUT_COMPLETE = "RolloutComplete"  # as expected: nothing is left to do
    RESOLVING = "Resolving"  # a resolver pod finds out what the source leads to
    WAITING_FOR_READY_PODS = (
        "WaitingForReadyPods"  # the target has too few ready pods, or not for long enough
    )
    WAITING_FOR_PROMOTION = "WaitingForPromotion"  # the target is ready; promotion is Manual
    PAUSED = "Paused"  # spec.rollout.paused is true, and there is something to do
    QUEUED = "Queued"  # as many rollouts as the administrator allows are under way; it has a place
    HANDS_OFF = "HandsOff"  # slipway.dev/hands-off is set: what would be done is said, and not done
    SWITCHING = "Switching"  # the selector has moved; the Service's endpoints do not show it yet
    BAKING = "Baking"  # the new revision has the traffic and is watched for bakeSeconds
    ROLLING = "Rolling"  # pods of the new revision take the place of the old one's by turns
    KEEPING_WARM = "KeepingWarm"  # the old revision keeps its pods for keepWarmSeconds
    DRAINING = "Draining"  # the old revision's pods answer what is still open
    HIBERNATED = "Hibernated"  # spec.replicas is 0
    NO_READY_PODS = "NoReadyPods"  # the selected revision has no ready pod: requests fail
    WRITE_REFUSED = "WriteRefused"  # the API server refuses an object that a rollout can do without

    # nothing happens until the spec, or the object in the way, changes
    INVALID_SPEC = "InvalidSpec"  # the object breaks a rule that the API server did not enforce
    IMAGE_NOT_ALLOWED = "ImageNotAllowed"  # spec.runtime.image is not on the administrator's list
    SERVICE_ACCOUNT_NOT_ALLOWED = (
        "ServiceAccountNotAllowed"  # spec.serviceAccountName is not on the administrator's list
    )
    NAME_CONFLICT = "NameConflict"  # an object of a needed name belongs to somebody else

    # rejected: not tried again until the revision or the retry token changes
    DIGEST_MISMATCH = "DigestMismatch"  # the bundle's bytes are not those of sha256 or of slipway.yaml
    SOURCE_DRIFTED = (
        "SourceDrifted"  # a version that has served cannot start: its source holds other bytes now
    )
    GOLDEN_MISMATCH = "GoldenMismatch"  # a golden or verification example got another answer
    MODEL_LOAD_FAILED = "ModelLoadFailed"  # onnxruntime or the tokenizer refuses the files
    BUNDLE_INVALID = "BundleInvalid"  # slipway.yaml, or a file it lists, is missing or malformed
    UNSAFE_MODEL = "UnsafeModel"  # the bundle could run code: a pickle, a custom operator
    CONFIGURATION_INVALID = "ConfigurationInvalid"  # the runtime refuses its settings
    PROVIDER_UNAVAILABLE = "ProviderUnavailable"  # executionProvider cuda, and the pod has no usable GPU
    CRASH_LOOP = "CrashLoop"  # the container ends again and again and does not say why
    CRASHED_AFTER_SWITCH = "CrashedAfterSwitch"  # a container ended while its version was watched
    UNREADY_AFTER_SWITCH = "UnreadyAfterSwitch"  # a pod ceased to be ready while its version was watched
    ERRORS_AFTER_SWITCH = "ErrorsAfterSwitch"  # too many answers were errors of the server's own

    # blocked: the pods are released at the deadline, and tried again later
    SOURCE_NOT_FOUND = "SourceNotFound"  # no such bucket or prefix
    SOURCE_FORBIDDEN = "SourceForbidden"  # the credentials do not reach it
    SOURCE_UNAVAILABLE = "SourceUnavailable"  # S3 does not answer, or answers with an error of its own
    DISK_FULL = "DiskFull"  # the bundle does not fit on the node's disk, or in the room given to the pod
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a word; credentialsSecretName, or a key in it, does not exist
    RESOLVER_INTERRUPTED = "ResolverInterrupted"  # the resolver pod was ended before it could say anything
    IMAGE_PULL_FAILED = "ImagePullFailed"  # the node cannot fetch the runtime's image
    SIDECAR_NOT_READY = "SidecarNotReady"  # a container that somebody has injected keeps the pods from it
    NO_TURN_POSSIBLE = "NoTurnPossible"  # Rolling may neither add a pod nor miss one
    UNSCHEDULABLE = "Unschedulable"  # no node has room, or matches
    HELD_BY_ENDING_PODS = "HeldByEndingPods"  # a device is lacking until pods that are terminating have gone
    HELD_BY_OLD_VERSION = "HeldByOldVersion"  # a device is lacking that the model's other version holds
    HELD_BY_OTHERS = "HeldByOthers"  # a device is lacking that somebody else's pods hold
    SCHEDULING_GATED = "SchedulingGated"  # somebody's scheduling gates keep the pods from every node
    QUOTA_EXCEEDED = "QuotaExceeded"  # a ResourceQuota forbids the pods: none exists
    LIMIT_RANGE_VIOLATED = "LimitRangeViolated"  # a LimitRange of the namespace forbids the pods: none exists
    PODS_REFUSED = "PodsRefused"  # the API server refuses the Deployment or its pods for another reason
    PROGRESS_DEADLINE_EXCEEDED = (
        "ProgressDeadlineExceeded"  # too few ready pods in time, and no better reason known
    )


UNKNOWN: Final = "UnknownReason"
"""Shown for a word that no condition may bear."""

_WORD = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")


def read(word: str) -> str:
    """A word that was written down, as the ConditionReason that it is; one of a newer operator as itself."""
    try:
        return ConditionReason(word)
    except ValueError:
        return word


def shown(word: str) -> str:
    """As a condition may bear it: any word of ours, and what looks like one."""
    return word if _WORD.fullmatch(word) else UNKNOWN


REJECTED_REASONS: Final = frozenset(
    {
        ConditionReason.DIGEST_MISMATCH,
        ConditionReason.SOURCE_DRIFTED,
        ConditionReason.GOLDEN_MISMATCH,
        ConditionReason.MODEL_LOAD_FAILED,
        ConditionReason.BUNDLE_INVALID,
        ConditionReason.UNSAFE_MODEL,
        ConditionReason.CONFIGURATION_INVALID,
        ConditionReason.PROVIDER_UNAVAILABLE,
        ConditionReason.CRASH_LOOP,
        ConditionReason.CRASHED_AFTER_SWITCH,
        ConditionReason.UNREADY_AFTER_SWITCH,
        ConditionReason.ERRORS_AFTER_SWITCH,
    }
)
"""The fault lies in what was asked for: trying again would end the same way."""

BLOCKED_REASONS: Final = frozenset(
    {
        ConditionReason.SOURCE_NOT_FOUND,
        ConditionReason.SOURCE_FORBIDDEN,
        ConditionReason.SOURCE_UNAVAILABLE,
        ConditionReason.DISK_FULL,
        ConditionReason.SECRET_NOT_FOUND,
        ConditionReason.RESOLVER_INTERRUPTED,
        ConditionReason.IMAGE_PULL_FAILED,
        ConditionReason.SIDECAR_NOT_READY,
        ConditionReason.NO_TURN_POSSIBLE,
        ConditionReason.UNSCHEDULABLE,
        ConditionReason.HELD_BY_ENDING_PODS,
        ConditionReason.HELD_BY_OLD_VERSION,
        ConditionReason.HELD_BY_OTHERS,
        ConditionReason.SCHEDULING_GATED,
        ConditionReason.QUOTA_EXCEEDED,
        ConditionReason.LIMIT_RANGE_VIOLATED,
        ConditionReason.PODS_REFUSED,
        ConditionReason.PROGRESS_DEADLINE_EXCEEDED,
    }
)
"""The fault lies around the model, and may go away by itself."""

NO_ROOM_REASONS: Final = frozenset(
    {
        ConditionReason.UNSCHEDULABLE,
        ConditionReason.HELD_BY_ENDING_PODS,
        ConditionReason.HELD_BY_OLD_VERSION,
        ConditionReason.HELD_BY_OTHERS,
        ConditionReason.QUOTA_EXCEEDED,
    }
)
"""Of these: there is no room for the pods, and a pod less of the model may make some."""


class RuntimeFailure(StrEnum):
    """The reasons in a runtime's termination message. Each is also a ConditionReason."""

    SOURCE_NOT_FOUND = "SourceNotFound"  # no such bucket or key
    SOURCE_FORBIDDEN = "SourceForbidden"  # S3 answered 403, or the credentials are not usable
    SOURCE_UNAVAILABLE = "SourceUnavailable"  # S3 was not reached, or failed, for as long as was tried
    DISK_FULL = "DiskFull"  # the bundle does not fit where it is to be written
    DIGEST_MISMATCH = "DigestMismatch"  # bytes differ from a pinned or listed digest
    BUNDLE_INVALID = "BundleInvalid"  # slipway.yaml or a listed file is missing or malformed
    UNSAFE_MODEL = "UnsafeModel"  # the files could run code
    MODEL_LOAD_FAILED = "ModelLoadFailed"  # the session or the tokenizer could not be made
    GOLDEN_MISMATCH = "GoldenMismatch"  # an example got another answer
    CONFIGURATION_INVALID = "ConfigurationInvalid"  # the environment breaks a rule
    PROVIDER_UNAVAILABLE = "ProviderUnavailable"  # the execution provider asked for is not there


class EventReason(StrEnum):
    """The reasons of the events on an InferenceModel."""

    ROLLOUT_STARTED = "RolloutStarted"  # a revision was created, or is tried from the start
    WAITING_FOR_PROMOTION = "WaitingForPromotion"  # the target is ready, and the user has the last word
    ROLLOUT_QUEUED = "RolloutQueued"  # it waits for its turn among other models' rollouts
    TRAFFIC_SWITCHED = "TrafficSwitched"  # the stable Service selects another revision
    TRAFFIC_WENT_BACK = "TrafficWentBack"  # it selects again what served before
    ROLLOUT_COMPLETE = "RolloutComplete"  # the old revision has left, or there was none
    ROLLOUT_REJECTED = "RolloutRejected"  # the target failed for good; the message carries the reason
    ROLLOUT_BLOCKED = "RolloutBlocked"  # the target cannot start for now; the message carries the reason
    ROLLOUT_RETRIED = "RolloutRetried"  # a blocked target is tried again, or the retry token changed
    REVISION_RETIRED = "RevisionRetired"  # a revision was scaled to 0 and stays as history
    REVISION_DELETED = "RevisionDeleted"  # a revision was trimmed from the history
    SERVICE_LENT = "ServiceLent"  # a Service that was there before is to lead to this model's pods
    SERVICE_RESTORED = "ServiceRestored"  # the stable Service had been deleted and was created again
    SLOWER_AFTER_SWITCH = (
        "SlowerAfterSwitch"  # it answers more slowly than what served before; nothing follows
    )
    TEMPLATE_DRIFTED = "TemplateDrifted"  # somebody edited a Deployment's pods; reported, never repaired
    INVALID_SPEC = "InvalidSpec"  # as the condition's reason
    IMAGE_NOT_ALLOWED = "ImageNotAllowed"  # as the condition's reason
    SERVICE_ACCOUNT_NOT_ALLOWED = "ServiceAccountNotAllowed"  # as the condition's reason
    NAME_CONFLICT = "NameConflict"  # as the condition's reason
    HIBERNATED = "Hibernated"  # spec.replicas became 0


class RolloutStep(StrEnum):
    """status.rollout.step: where the rollout stands."""

    RESOLVING = "Resolving"  # what the source leads to is being found out, once for the revision
    WAITING_FOR_READY_PODS = "WaitingForReadyPods"  # the target's pods start and prove themselves
    WAITING_FOR_PROMOTION = "WaitingForPromotion"  # they have; the user has the last word
    QUEUED = "Queued"  # other models' rollouts come first: the administrator allows only so many at a time
    SWITCHING = "Switching"  # the selector has moved; its endpoints are being confirmed
    ROLLING = "Rolling"  # the Service selects all pods of the model while they are replaced by turns
    BAKING = "Baking"  # confirmed; the new revision is watched, the old one kept hot
    KEEPING_WARM = "KeepingWarm"  # the bake has ended well; the old revision is kept hot
    DRAINING = "Draining"  # the old revision's pods are ending
    COMPLETE = "Complete"  # nothing is left to do
    REJECTED = "Rejected"  # the target failed for good; the active revision stays
    BLOCKED = "Blocked"  # the target cannot start for now; the active revision stays
    HIBERNATED = "Hibernated"  # spec.replicas is 0
    PAUSED = "Paused"  # spec.rollout.paused is true, and there is something to do
    STOPPED = "Stopped"  # invalid spec, something not allowed or a name taken: nothing begins


class VersionState(StrEnum):
    """status.versions[].state: what a revision is doing."""

    STARTING = "Starting"  # its pods load, warm up and verify themselves
    READY = "Ready"  # enough ready pods, and no requests yet
    LIVE = "Live"  # the stable Service selects it
    WARM = "Warm"  # it was live and keeps its pods
    DRAINING = "Draining"  # scaled to 0, and pods are still ending
    RETIRED = "Retired"  # no pods; kept as history
    REJECTED = "Rejected"  # failed for good
    BLOCKED = "Blocked"  # cannot start for now


class HolderKind(StrEnum):
    """status.rollout.blocked.holders[].kind: whose pod it is that holds what is lacking."""

    ENDING = "Ending"  # one that is terminating: what it holds will be free by itself
    OLD_VERSION = "OldVersion"  # of another version of the same model
    OTHER = "Other"  # of somebody else
