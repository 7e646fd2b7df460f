"""The labels, annotations and field managers that Slipway writes: names only, no behaviour."""

from typing import Final

# -- labels of every child and of every pod --

MODEL: Final = "slipway.dev/model"
"""The InferenceModel's name. Together with REVISION it is the stable Service's whole selector. The operator's
own watches ask the server for it."""

REVISION: Final = "slipway.dev/revision"
"""The hash of what shapes the pods, 10 hexadecimal digits."""

RESOLVES: Final = "slipway.dev/resolves"
"""On a resolver pod, in the place of MODEL: the InferenceModel's name. Nothing that selects or counts a
model's pods can see one."""

RESOLVES_REVISION: Final = "slipway.dev/resolves-revision"
"""On a resolver pod, in the place of REVISION."""

VERSION: Final = "slipway.dev/version"
"""The version that clients see. Two revisions may share it, so nothing selects by it."""

NAME: Final = "app.kubernetes.io/name"
"""Always NAME_VALUE."""

INSTANCE: Final = "app.kubernetes.io/instance"
"""The InferenceModel's name, for the tools that read the recommended labels."""

COMPONENT: Final = "app.kubernetes.io/component"
"""Always COMPONENT_VALUE."""

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
"""Always MANAGED_BY_VALUE."""

NAME_VALUE: Final = "slipway-runtime"
COMPONENT_VALUE: Final = "runtime"
RESOLVER_VALUE: Final = "resolver"
"""The COMPONENT of a resolver pod."""
MANAGED_BY_VALUE: Final = "slipway"

# -- annotations: what cannot be derived, written beside what it describes --

SWITCH: Final = "slipway.dev/switch"
"""On the stable Service, in the same patch as the selector: JSON {"from", "to", "at"}."""

ATTEMPT_STARTED_AT: Final = "slipway.dev/attempt-started-at"
"""On a Deployment, RFC 3339: when the present attempt began. Its deadline counts from here, but for turns."""

PROMOTED_AT: Final = "slipway.dev/promoted-at"
"""On a Deployment, RFC 3339: when requests were last moved to it. Without it, it is never a fallback."""

ATTEMPT: Final = "slipway.dev/attempt"
"""On a Deployment: the number of the present attempt, counted while they are repeated automatically."""

LATCHED_REPLICAS: Final = "slipway.dev/latched-replicas"
"""On a Deployment: the replicas wanted when the attempt began; as many ready pods open the gate."""

BESIDE: Final = "slipway.dev/live-replicas"
"""On a Deployment: the live one's replicas when the attempt began, where more were asked for with it."""

REJECTED: Final = "slipway.dev/rejected"
"""On a Deployment, JSON {"reason", "message", "at", "retryToken"}: sticks until that token changes."""

RELEASED: Final = "slipway.dev/released"
"""On a Deployment, JSON as REJECTED and "attempts": its pods were let go at the deadline, for a while."""

SLOWER: Final = "slipway.dev/slower"
"""On a Deployment: the sentence that was told when it answered more slowly than what served before it."""

RESOLVED_SOURCE: Final = "slipway.dev/resolved-source"
"""On a Deployment, JSON {"uri", "digest", ...}: what its source led to when it was made; its pods read
that."""

RETRY_TOKEN: Final = "slipway.dev/retry-token"  # noqa: S105 - an annotation
"""On a resolver pod: spec.rollout.retryToken when it was made. Another one asks for another try."""

PROMOTE: Final = "slipway.dev/promote"
"""On an InferenceModel, by its user: the revision that may be promoted where promotion is Manual."""

HANDS_OFF: Final = "slipway.dev/hands-off"
"""On an InferenceModel, by its user, "true": the operator says what it would do, and does nothing."""

ADOPT: Final = "slipway.dev/adopt"
"""On a Service, by its owner, "true": it may lead to the pods of the InferenceModel of its name."""

ADOPTED_SELECTOR: Final = "slipway.dev/adopted-selector"
"""On such a Service, JSON: where it led before, for the way back."""

# -- field managers --

FIELD_MANAGER: Final = "slipway"
"""Owns the children and the status."""

TRAFFIC_FIELD_MANAGER: Final = "slipway-traffic"
"""Owns the stable Service's selector and its SWITCH annotation: applying the rest never moves requests."""
