"""spec: what is wanted. Defaults are those of the CRD, for objects that were stored before it had them.

A field that shapes a pod has none: it is None when the user has not set it. What None means is known
to the rendering, not here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from slipway_operator.api import names
from slipway_operator.api.part import Part, matching, must
from slipway_operator.api.pods import (
    ImagePullSecret,
    LabelValue,
    ObjectName,
    Resources,
    Toleration,
    TopologySpreadConstraint,
)
from slipway_operator.api.source import Source

_is_label_key = matching(names.LABEL_KEY)

Token = Annotated[str, Field(max_length=64)]
Version = Annotated[
    str,
    Field(min_length=1, max_length=40),
    must(
        matching(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"),
        "spec.version must consist of letters, digits, '-', '_' and '.', and begin and end with a letter "
        "or a digit",
    ),
]
Image = Annotated[
    str,
    Field(min_length=1, max_length=512),
    must(
        matching(r"[a-z0-9][-A-Za-z0-9_.:/@]*"),
        "spec.runtime.image must be an image's reference, such as example.org/slipway/runtime:1.0",
    ),
]


class ExecutionProvider(StrEnum):
    """What onnxruntime computes on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Strategy(StrEnum):
    """How a new version takes the place of the old one."""

    BLUE_GREEN = "BlueGreen"
    ROLLING = "Rolling"
    RECREATE = "Recreate"


class Promotion(StrEnum):
    """Who has the last word before the requests move."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class Batching(Part):
    """How requests that arrive together are computed together."""

    max_batch_size: Annotated[int, Field(ge=1, le=1024)] | None = None
    max_wait_milliseconds: Annotated[int, Field(ge=0, le=1000)] | None = None


class Runtime(Part):
    """The settings of the process that serves the model. Whether the image is allowed is not known here."""

    image: Image | None = None
    execution_provider: ExecutionProvider | None = None
    batching: Batching | None = None
    max_texts_per_request: Annotated[int, Field(ge=1, le=1000)] | None = None


class Example(Part):
    """A text, the label it must get, and the score (0 to 1) that the label must reach."""

    text: Annotated[str, Field(min_length=1, max_length=1024)]
    label: Annotated[str, Field(min_length=1, max_length=128)]
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None


def _small_in_all(examples: tuple[Example, ...]) -> tuple[Example, ...]:
    if sum(len(example.text) for example in examples) > 8192:
        raise ValueError(
            "the texts in spec.rollout.verification.examples must have at most 8192 characters in all"
        )
    return examples


class Verification(Part):
    """What every pod answers correctly before it becomes ready."""

    examples: Annotated[tuple[Example, ...], Field(max_length=20), AfterValidator(_small_in_all)] | None = (
        None
    )


class Drain(Part):
    """How a pod ends."""

    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] | None = None


class Rollout(Part):
    """How a new version takes the place of the old one. Only drain and verification shape a pod."""

    strategy: Strategy = Strategy.BLUE_GREEN
    max_surge: Annotated[int, Field(ge=0, le=64)] = 1
    max_unavailable: Annotated[int, Field(ge=0, le=64)] = 0
    allow_downtime: bool = False
    promotion: Promotion = Promotion.AUTOMATIC
    paused: bool = False
    progress_deadline_seconds: Annotated[int, Field(ge=1, le=86400)] = 600
    min_ready_seconds: Annotated[int, Field(ge=0, le=3600)] = 5
    bake_seconds: Annotated[int, Field(ge=0, le=86400)] = 60
    keep_warm_seconds: Annotated[int, Field(ge=0, le=86400)] = 60
    history_limit: Annotated[int, Field(ge=0, le=10)] = 2
    retry_token: Token = ""
    drain: Drain | None = None
    verification: Verification | None = None

    @model_validator(mode="after")
    def _deadline_can_be_met(self) -> Self:
        if self.progress_deadline_seconds <= self.min_ready_seconds:
            raise ValueError(
                "spec.rollout.progressDeadlineSeconds must be greater than spec.rollout.minReadySeconds"
            )
        return self

    @model_validator(mode="after")
    def _outage_is_allowed(self) -> Self:
        if self.strategy is Strategy.RECREATE and not self.allow_downtime:
            raise ValueError(
                "spec.rollout.strategy Recreate takes the old version away before the new one is ready: it "
                "needs spec.rollout.allowDowntime"
            )
        return self

    @model_validator(mode="after")
    def _turns_are_possible(self) -> Self:
        if self.max_surge == 0 and self.max_unavailable == 0:
            raise ValueError("spec.rollout.maxSurge and spec.rollout.maxUnavailable must not both be 0")
        return self


class Spec(Part):
    """The whole spec."""

    version: Version
    source: Source
    replicas: Annotated[int, Field(ge=0, le=64)] = 1
    resources: Resources | None = None
    runtime: Runtime | None = None
    rollout: Rollout = Rollout()
    restart_token: Token | None = None
    node_selector: Annotated[Mapping[str, LabelValue], Field(max_length=16)] | None = None
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] | None = None
    topology_spread_constraints: (
        Annotated[tuple[TopologySpreadConstraint, ...], Field(max_length=4)] | None
    ) = None
    priority_class_name: ObjectName | None = None
    image_pull_secrets: Annotated[tuple[ImagePullSecret, ...], Field(max_length=4)] | None = None
    service_account_name: ObjectName | None = None  # whether it is on the list is not known here

    @model_validator(mode="after")
    def _nodes_are_selected_by_labels(self) -> Self:
        if not all(_is_label_key(key) for key in self.node_selector or {}):
            raise ValueError(
                "every key of spec.nodeSelector must be a label's key, such as nvidia.com/gpu.product"
            )
        return self

    @model_validator(mode="after")
    def _priority_is_not_the_clusters(self) -> Self:
        if (self.priority_class_name or "").startswith("system-"):
            raise ValueError(
                "spec.priorityClassName must not begin with 'system-': those classes are kept for the "
                "cluster's own pods"
            )
        return self
