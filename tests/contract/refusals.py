"""Manifests that are refused, and what their authors read.

Data only: the same table is put to the CRD's rules, to the operator's view and to a real API server.
"""

import copy
from dataclasses import dataclass
from typing import Any

_SMALLEST: dict[str, Any] = {
    "apiVersion": "slipway.dev/v1alpha1",
    "kind": "InferenceModel",
    "metadata": {"name": "sentiment", "namespace": "default"},
    "spec": {"version": "1", "source": {"uri": "s3://models/sentiment/1"}},
}

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Refusal:
    """`what` in English, the manifest, and the sentence of the rule that it breaks."""

    what: str
    manifest: dict[str, Any]
    sentence: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """A manifest that the schema itself refuses; `says` are the API server's own words."""

    what: str
    manifest: dict[str, Any]
    field: str
    says: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """A manifest that looks odd and is legitimate."""

    what: str
    manifest: dict[str, Any]


def _with(**values: Any) -> dict[str, Any]:
    """The smallest manifest with other values; `spec__source__uri` is the field spec.source.uri."""
    manifest = copy.deepcopy(_SMALLEST)
    for path, value in values.items():
        *parents, field = path.split("__")
        place = manifest
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is _ABSENT:
            del place[field]
        else:
            place[field] = value
    return manifest


NAME = (
    "metadata.name must be 1 to 40 lower-case letters, digits and '-', beginning with a letter and not "
    "ending with '-': a Service of that name is created"
)
VERSION = (
    "spec.version must consist of letters, digits, '-', '_' and '.', and begin and end with a letter or "
    "a digit"
)
SCHEME = "spec.source.uri must begin with s3:// (s3://bucket/prefix): other schemes come in a later release"
BUCKET = (
    "the bucket in spec.source.uri must be 3 to 63 lower-case letters, digits, '.' and '-', and begin and "
    "end with a letter or a digit"
)
HOST = "the bucket in spec.source.uri must be the name of a bucket, and not the address or the name of a host"
FOLDER = "spec.source.uri must name a folder in the bucket, without a slash at its end (s3://bucket/prefix)"
DOUBLE_SLASH = "spec.source.uri must not contain '//' after s3://"
PARENT = "spec.source.uri must not contain '..'"
QUERY = "spec.source.uri must not contain a query or a fragment ('?' or '#')"
PREFIX = (
    "the prefix in spec.source.uri must consist of letters, digits and the characters - ! _ . * ( ) = + /"
)
SHA256 = "spec.source.sha256 must be 64 hexadecimal digits in lower case"
SECRET = (
    "spec.source.credentialsSecretName must be the name of a Secret: lower-case letters, digits, '-' and "
    "'.', without a namespace"
)
LIMITS = (
    "every name in spec.resources.limits must be cpu, memory, ephemeral-storage, or that of a device such as "
    "nvidia.com/gpu"
)
REQUESTS = LIMITS.replace("limits", "requests")
DEVICES = (
    "a device such as nvidia.com/gpu in spec.resources.requests must stand in spec.resources.limits with the "
    "same number"
)
IMAGE = "spec.runtime.image must be an image's reference, such as example.org/slipway/runtime:1.0"
DEADLINE = "spec.rollout.progressDeadlineSeconds must be greater than spec.rollout.minReadySeconds"
OUTAGE = (
    "spec.rollout.strategy Recreate takes the old version away before the new one is ready: it needs "
    "spec.rollout.allowDowntime"
)
TURNS = "spec.rollout.maxSurge and spec.rollout.maxUnavailable must not both be 0"
EXAMPLES = "the texts in spec.rollout.verification.examples must have at most 8192 characters in all"
NODE_SELECTOR = "every key of spec.nodeSelector must be a label's key, such as nvidia.com/gpu.product"
KEYLESS = "a toleration in spec.tolerations without a key must have the operator Exists"
VALUE = "a toleration in spec.tolerations with the operator Exists must not have a value"
SECONDS = "a toleration in spec.tolerations with tolerationSeconds must have the effect NoExecute"
PRIORITY = (
    "spec.priorityClassName must not begin with 'system-': those classes are kept for the cluster's own pods"
)


def _uri(what: str, uri: str, sentence: str) -> Refusal:
    return Refusal(what, _with(spec__source__uri=uri), sentence)


def _example(text: str = "I love it", label: str = "positive", **more: Any) -> dict[str, Any]:
    return {"text": text, "label": label, **more}


REFUSALS = (
    Refusal("a name that begins with a digit", _with(metadata__name="7b"), NAME),
    Refusal("a name with a dot", _with(metadata__name="sentiment.v1"), NAME),
    Refusal("a name of 41 characters", _with(metadata__name="a" * 41), NAME),
    Refusal("a version with a slash", _with(spec__version="2/1"), VERSION),
    Refusal("a version that ends with a dot", _with(spec__version="2."), VERSION),
    Refusal("a version with a space", _with(spec__version="2 beta"), VERSION),
    Refusal("a version with a line feed", _with(spec__version="2\n"), VERSION),
    _uri("a URI without a scheme", "models/sentiment/1", SCHEME),
    _uri("a web address", "https://models.example.org/sentiment", SCHEME),
    _uri("a file of the node", "file:///etc/passwd", SCHEME),
    _uri("an upper-case scheme", "S3://models/sentiment/1", SCHEME),
    _uri("a registry's model", "models:/sentiment@champion", SCHEME),
    _uri("a URI without a bucket", "s3:///sentiment/1", BUCKET),
    _uri("a bucket of two letters", "s3://ab/sentiment", BUCKET),
    _uri("a bucket in upper case", "s3://Models/sentiment", BUCKET),
    _uri("a bucket with a user and a password", "s3://key:secret@models/sentiment", BUCKET),
    _uri("a bucket with a port", "s3://models:9000/sentiment", BUCKET),
    _uri("a bucket of other letters", "s3://modеls/sentiment", BUCKET),  # noqa: RUF001 - a Cyrillic e
    _uri("an address in brackets", "s3://[fd00:ec2::254]/latest", BUCKET),
    _uri("the metadata address", "s3://169.254.169.254/latest/meta-data", HOST),
    _uri("the metadata address as one number", "s3://2852039166/latest/meta-data", HOST),
    _uri("the metadata address in hexadecimal", "s3://0xa9fea9fe/latest/meta-data", HOST),
    _uri("the metadata server's name", "s3://metadata.google.internal/computeMetadata/v1", HOST),
    _uri("this machine's name", "s3://localhost/sentiment", HOST),
    _uri("a whole bucket", "s3://models", FOLDER),
    _uri("a whole bucket with a slash", "s3://models/", FOLDER),
    _uri("a slash at the end", "s3://models/sentiment/1/", FOLDER),
    _uri("an empty folder", "s3://models//sentiment", DOUBLE_SLASH),
    _uri("a parent folder", "s3://models/sentiment/../secrets", PARENT),
    _uri("a query", "s3://models/sentiment?versionId=1", QUERY),
    _uri("a fragment", "s3://models/sentiment#1", QUERY),
    _uri("an escaped parent folder", "s3://models/%2e%2e/secrets", PREFIX),
    _uri("a backslash", "s3://models/sentiment\\1", PREFIX),
    _uri("a space in the prefix", "s3://models/my sentiment", PREFIX),
    _uri("a line feed in the prefix", "s3://models/sentiment\n1", PREFIX),
    _uri("an ideographic full stop", "s3://models/sentiment。1", PREFIX),
    Refusal("a digest in upper case", _with(spec__source__sha256="A" * 64), SHA256),
    Refusal("a digest with a letter beyond f", _with(spec__source__sha256="g" * 64), SHA256),
    Refusal(
        "a Secret of another namespace", _with(spec__source__credentialsSecretName="kube-system/s3"), SECRET
    ),
    Refusal("a limit that Kubernetes does not know", _with(spec__resources__limits={"gpu": 1}), LIMITS),
    Refusal(
        "a limit in Kubernetes' own domain",
        _with(spec__resources__limits={"kubernetes.io/gpu": 1}),
        LIMITS,
    ),
    Refusal("a request for pods", _with(spec__resources__requests={"pods": 1}), REQUESTS),
    Refusal("a GPU that is only requested", _with(spec__resources__requests={"nvidia.com/gpu": 1}), DEVICES),
    Refusal(
        "more GPUs in the limit than in the request",
        _with(spec__resources={"limits": {"nvidia.com/gpu": 2}, "requests": {"nvidia.com/gpu": 1}}),
        DEVICES,
    ),
    Refusal("an image with a space", _with(spec__runtime__image="slipway runtime"), IMAGE),
    Refusal("an outage that nobody allows", _with(spec__rollout__strategy="Recreate"), OUTAGE),
    Refusal("no turn possible", _with(spec__rollout={"maxSurge": 0}), TURNS),
    Refusal(
        "a deadline before the pods can have been ready for long enough",
        _with(spec__rollout={"progressDeadlineSeconds": 30, "minReadySeconds": 30}),
        DEADLINE,
    ),
    Refusal(
        "pods that must be ready for longer than the deadline allows by default",
        _with(spec__rollout__minReadySeconds=600),
        DEADLINE,
    ),
    Refusal(
        "examples of 9000 characters in all",
        _with(spec__rollout__verification__examples=[_example("x" * 1000)] * 9),
        EXAMPLES,
    ),
    Refusal("a node's label with a space", _with(spec__nodeSelector={"gpu type": "a100"}), NODE_SELECTOR),
    Refusal("a toleration of anything by accident", _with(spec__tolerations=[{"value": "x"}]), KEYLESS),
    Refusal(
        "a toleration that both exists and equals",
        _with(spec__tolerations=[{"key": "gpu", "operator": "Exists", "value": "a100"}]),
        VALUE,
    ),
    Refusal(
        "a toleration for some seconds of a taint that evicts nobody",
        _with(spec__tolerations=[{"key": "gpu", "effect": "NoSchedule", "tolerationSeconds": 5}]),
        SECONDS,
    ),
    Refusal(
        "the cluster's own priority",
        _with(spec__priorityClassName="system-node-critical"),
        PRIORITY,
    ),
)
"""What a rule of the CRD refuses."""


MISFITS = (
    Misfit("no version", _with(spec__version=_ABSENT), "spec.version", "Required value"),
    Misfit("no source", _with(spec__source=_ABSENT), "spec.source", "Required value"),
    Misfit("a version without quotes", _with(spec__version=2.1), "spec.version", "must be of type string"),
    Misfit("an empty version", _with(spec__version=""), "spec.version", "should be at least 1 chars long"),
    Misfit("a version of 41 characters", _with(spec__version="1" * 41), "spec.version", "Too long"),
    Misfit("a URI of 2 kB", _with(spec__source__uri="s3://m/" + "x" * 2048), "spec.source.uri", "Too long"),
    Misfit(
        "a digest of 10 digits",
        _with(spec__source__sha256="0123456789"),
        "spec.source.sha256",
        "should be at least 64 chars long",
    ),
    Misfit("fewer than no pods", _with(spec__replicas=-1), "spec.replicas", "greater than or equal to 0"),
    Misfit("65 pods", _with(spec__replicas=65), "spec.replicas", "less than or equal to 64"),
    Misfit("pods in letters", _with(spec__replicas="two"), "spec.replicas", "must be of type integer"),
    Misfit(
        "a provider that does not exist",
        _with(spec__runtime__executionProvider="tpu"),
        "spec.runtime.executionProvider",
        'supported values: "auto", "cpu", "cuda"',
    ),
    Misfit(
        "a batch of none",
        _with(spec__runtime__batching__maxBatchSize=0),
        "spec.runtime.batching.maxBatchSize",
        "greater than or equal to 1",
    ),
    Misfit(
        "a strategy of a later release",
        _with(spec__rollout__strategy="Canary"),
        "spec.rollout.strategy",
        'supported values: "BlueGreen", "Rolling", "Recreate"',
    ),
    Misfit(
        "a promotion by nobody",
        _with(spec__rollout__promotion="Never"),
        "spec.rollout.promotion",
        'supported values: "Automatic", "Manual"',
    ),
    Misfit(
        "a pause in words",
        _with(spec__rollout__paused="yes"),
        "spec.rollout.paused",
        "must be of type boolean",
    ),
    Misfit(
        "an endless drain",
        _with(spec__rollout__drain__timeoutSeconds=86400),
        "spec.rollout.drain.timeoutSeconds",
        "less than or equal to 3600",
    ),
    Misfit(
        "an example without a label",
        _with(spec__rollout__verification__examples=[{"text": "I love it"}]),
        "spec.rollout.verification.examples[0].label",
        "Required value",
    ),
    Misfit(
        "an example with an empty label",
        _with(spec__rollout__verification__examples=[_example(label="")]),
        "spec.rollout.verification.examples[0].label",
        "should be at least 1 chars long",
    ),
    Misfit(
        "a score above 1",
        _with(spec__rollout__verification__examples=[_example(minScore=1.5)]),
        "spec.rollout.verification.examples[0].minScore",
        "less than or equal to 1",
    ),
    Misfit(
        "21 examples",
        _with(spec__rollout__verification__examples=[_example()] * 21),
        "spec.rollout.verification.examples",
        "Too many",
    ),
    Misfit(
        "half a core as a number",
        _with(spec__resources__limits={"cpu": 0.5}),
        "spec.resources",
        "must be of type",
    ),
    Misfit(
        "less than no memory",
        _with(spec__resources__limits={"memory": "-1Gi"}),
        "spec.resources",
        "should match",
    ),
)
"""What the schema refuses in the API server's own words; the operator names at least the field."""


WELCOME = (
    Welcome("the smallest manifest", _with()),
    Welcome("a name of 40 characters", _with(metadata__name="a" * 40)),
    Welcome("a version with every kind of character", _with(spec__version="2.1_rc-1")),
    Welcome("a bucket with dots", _with(spec__source__uri="s3://models.example.org/sentiment")),
    Welcome("a bucket of digits", _with(spec__source__uri="s3://123456789012/sentiment")),
    Welcome("a prefix with a partition", _with(spec__source__uri="s3://models/team=a/sentiment+1/(final)")),
    Welcome("no pods", _with(spec__replicas=0)),
    Welcome(
        "a GPU as a number in one place and as a text in the other",
        _with(spec__resources={"limits": {"nvidia.com/gpu": 1}, "requests": {"nvidia.com/gpu": "1"}}),
    ),
    Welcome(
        "a GPU in the limits only", _with(spec__resources__limits={"nvidia.com/gpu": 1, "memory": "4Gi"})
    ),
    Welcome("an image by its digest", _with(spec__runtime__image="example.org/a/b@sha256:" + "0" * 64)),
    Welcome("an empty rollout", _with(spec__rollout={})),
    Welcome(
        "an outage that is allowed", _with(spec__rollout={"strategy": "Recreate", "allowDowntime": True})
    ),
    Welcome(
        "turns without a pod more",
        _with(spec__rollout={"strategy": "Rolling", "maxSurge": 0, "maxUnavailable": 1}),
    ),
    Welcome("a rollout in the user's hands", _with(spec__rollout={"paused": True, "promotion": "Manual"})),
    Welcome("a deadline one second after", _with(spec__rollout={"progressDeadlineSeconds": 6})),
    Welcome("no example", _with(spec__rollout__verification={"examples": []})),
    Welcome(
        "a score that is a whole number",
        _with(spec__rollout__verification__examples=[_example(minScore=1)]),
    ),
    Welcome(
        "every field of the pod",
        _with(
            spec__nodeSelector={"nvidia.com/gpu.product": "A100", "zone": ""},
            spec__tolerations=[
                {"operator": "Exists"},
                {"key": "nvidia.com/gpu", "value": "a100", "effect": "NoSchedule"},
                {"key": "spot", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30},
            ],
            spec__topologySpreadConstraints=[
                {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
            ],
            spec__priorityClassName="serving.high",
            spec__imagePullSecrets=[{"name": "images"}],
            spec__serviceAccountName="models.reader",
            spec__restartToken="2026-01-01 a fixed image",
        ),
    ),
)
"""What must not be refused."""
