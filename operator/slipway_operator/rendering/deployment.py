"""A revision's Deployment. It is created once and its template never changes again (an operator upgrade
restarts no model): whatever is rendered differently tomorrow is for the revisions of tomorrow.

Must not know how many replicas a rollout wants, nor when.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Final

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.domain import resolution
from slipway_operator.rendering import access, attempt, environment, identity, resources, source, trust

USER = 10001
SECURITY: Final[identity.Body] = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""Of every pod that is made here, and of its container, as the strictest namespace asks for."""

CONTAINER: Final = "runtime"
CONTAINER_SECURITY: Final[identity.Body] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}

DEFAULT_DRAIN_SECONDS = 60
# After its drain a pod stops the server and ends: time for that, and for a node that is busy.
_GRACE_BEYOND_DRAIN = 30
# A pod is started once it is ready: it may fetch for 20 minutes, and load and prove itself in the other 10.
_STARTUP_SECONDS = 1800


@dataclasses.dataclass(frozen=True, slots=True)
class Platform:
    """What the administrator sets for all models."""

    runtime_image: str
    s3_endpoint_url: str = ""
    s3_region: str = ""
    visitors: access.Visitors | None = None  # None: no NetworkPolicy is made
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)  # of children made from now on
    s3_authority: trust.Authority | None = None  # None: the public ones are all there are


def of_revision(
    model: api.InferenceModel,
    *,
    revision: str,
    replicas: int,
    at: datetime.datetime,
    platform: Platform,
    beside: int | None = None,
    found: resolution.Resolved | None = None,
) -> identity.Body:
    """The Deployment, with its first attempt noted on it, and what its source was `found` to be."""
    labelled = identity.revision_labels(model.name, revision, model.spec.version)
    metadata = identity.metadata(
        name=identity.child_name(model.name, revision),
        namespace=model.namespace,
        labelled=labelled,
        owner=identity.owner_of(model),
    )
    notes = attempt.started(at=at, replicas=replicas, number=1, beside=beside)
    metadata["annotations"] = {name: value for name, value in notes.items() if value is not None}
    if found is not None:
        metadata["annotations"][labels.RESOLVED_SOURCE] = source.note(found)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": identity.selector(model.name, revision)},
            "template": {"metadata": {"labels": labelled}, "spec": _pod(model, revision, platform, found)},
        },
    }


def _pod(
    model: api.InferenceModel, revision: str, platform: Platform, found: resolution.Resolved | None
) -> identity.Body:
    spec = model.spec
    pod: identity.Body = {
        "containers": [_container(model, platform, found)],
        "volumes": [
            {"name": "cache", "emptyDir": {"sizeLimit": str(resources.disk_bytes(model))}},
            {"name": "tmp", "emptyDir": {"sizeLimit": str(resources.TMP_BYTES)}},
            *([platform.s3_authority.volume] if platform.s3_authority else []),
        ],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # a Service called `model` would set MODEL_PORT and the like
        # The runtime must not be process 1: the kernel drops a SIGTERM for a process 1 that has no handler
        # yet, and a pod that is told to end in its first moments would hold its GPU until it is killed.
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": drain_seconds(model) + _GRACE_BEYOND_DRAIN,
        "securityContext": SECURITY,
        "topologySpreadConstraints": _spread(model, revision),
    }
    if spec.node_selector:
        pod["nodeSelector"] = dict(spec.node_selector)
    if spec.tolerations:
        pod["tolerations"] = [t.model_dump(mode="json", exclude_none=True) for t in spec.tolerations]
    if spec.priority_class_name:
        pod["priorityClassName"] = spec.priority_class_name
    if spec.service_account_name:  # still without its token: workload identity brings one of its own
        pod["serviceAccountName"] = spec.service_account_name
    if spec.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": secret.name} for secret in spec.image_pull_secrets]
    return pod


def image_of(model: api.InferenceModel, platform: Platform) -> str:
    """The runtime's image."""
    runtime = model.spec.runtime
    return (runtime and runtime.image) or platform.runtime_image


def _container(
    model: api.InferenceModel, platform: Platform, found: resolution.Resolved | None
) -> identity.Body:
    return {
        "name": CONTAINER,
        "image": image_of(model, platform),
        "env": environment.of(
            model,
            found=found,
            drain_seconds=drain_seconds(model),
            s3_endpoint_url=platform.s3_endpoint_url,
            s3_region=platform.s3_region,
            s3_authority=platform.s3_authority,
        ),
        "ports": [
            {"name": "http", "containerPort": 8080},
            {"name": "grpc", "containerPort": 9000},
            {"name": "probes", "containerPort": 8081},
        ],
        # Until it has been ready once, nothing but this probe is asked; it is not asked again.
        "startupProbe": _probe("/readyz", period=1, failures=_STARTUP_SECONDS),
        "readinessProbe": _probe("/readyz", period=1, failures=3),
        "livenessProbe": _probe("/livez", period=10, failures=6),
        "resources": resources.of(model),
        "securityContext": CONTAINER_SECURITY,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",  # a process that dies without a word
        "volumeMounts": [
            {"name": "cache", "mountPath": environment.CACHE_DIRECTORY},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own, empty at its start
            *([platform.s3_authority.mount] if platform.s3_authority else []),
        ],
    }


def drain_seconds(model: api.InferenceModel) -> int:
    """How long a pod of this model may drain."""
    drain = model.spec.rollout.drain
    return (drain and drain.timeout_seconds) or DEFAULT_DRAIN_SECONDS


def _probe(path: str, *, period: int, failures: int) -> identity.Body:
    """On the second port, where no overload can fail it and no drain counts it as traffic."""
    return {
        "httpGet": {"path": path, "port": 8081},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _spread(model: api.InferenceModel, revision: str) -> list[identity.Body]:
    """The user's rules, or: over the nodes where that is possible. Counted are the pods of this revision."""
    asked = [
        rule.model_dump(mode="json", exclude_none=True)
        for rule in model.spec.topology_spread_constraints or ()
    ]
    default = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
    }
    counted = {"matchLabels": identity.selector(model.name, revision)}
    return [{**rule, "labelSelector": counted} for rule in asked or [default]]
