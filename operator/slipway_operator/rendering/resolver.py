"""A revision's resolver pod: the runtime's image and the user's Secret, and no GPU. It says in its last words
what the model's source leads to.

It bears none of the labels by which a model's pods are selected or counted. Must not know when there is one.
"""

from __future__ import annotations

from typing import Final

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.api import spec as api_spec
from slipway_operator.rendering import deployment, environment, identity

CONTAINER: Final = "resolver"
"""Ours in the pod; all others were put there by somebody else."""

# It lists a folder and reads one small file. Each amount has a request and a limit: a ResourceQuota on either
# refuses the pod otherwise. No limit is more than four times its request: a LimitRange may bound that ratio.
RESOURCES: Final[identity.Body] = {
    "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"},
    "limits": {"cpu": "400m", "memory": "256Mi", "ephemeral-storage": "128Mi"},
}
_VOLUME = "128Mi"

# Service meshes read these; of Istio the label, and of old the annotation. All that the pod does is to ask
# the storage, which as a rule is outside of a mesh or takes plain connections too. A sidecar would take
# resources, run on after the answer, and refuse connections until it is up itself. Where the storage takes
# connections of the mesh alone (strict mutual TLS), the administrator lets sidecars in. What is injected on
# demand only (Vault's agent, Dapr) needs no mark: nobody asks for it here.
_WITHOUT_SIDECARS: Final = {
    "labels": {"sidecar.istio.io/inject": "false"},
    "annotations": {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"},
}

# The time covers a Secret that comes later, or a slow image.
LONGEST_SECONDS = 3600
ANSWER_SECONDS = 60  # that the storage has
_GRACE_SECONDS = 5


def of_revision(
    model: api.InferenceModel,
    *,
    revision: str,
    number: int,
    attempt: int,
    platform: deployment.Platform,
) -> identity.Body:
    """The pod, owned by the model: its Deployment does not exist yet."""
    metadata = identity.metadata(
        name=identity.resolver_name(model.name, revision, number),
        namespace=model.namespace,
        labelled=identity.resolver_labels(model.name, revision, model.spec.version),
        owner=identity.owner_of(model),
    )
    metadata["annotations"] = {
        labels.ATTEMPT: str(attempt),
        labels.RETRY_TOKEN: model.spec.rollout.retry_token,
    }
    if not platform.resolvers.sidecars:
        for field, marks in _WITHOUT_SIDECARS.items():
            metadata[field] = {**metadata[field], **marks}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod(model, platform)}


def _pod(model: api.InferenceModel, platform: deployment.Platform) -> identity.Body:
    pod: identity.Body = {
        "containers": [_container(model, platform)],
        "volumes": [
            {"name": "cache", "emptyDir": {"sizeLimit": _VOLUME}},
            {"name": "tmp", "emptyDir": {"sizeLimit": _VOLUME}},
            *([platform.s3_authority.volume] if platform.s3_authority else []),
        ],
        "restartPolicy": "Never",  # what it has said stays with it
        "activeDeadlineSeconds": LONGEST_SECONDS,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": deployment.SECURITY,
    }
    spec = model.spec
    pod.update(_place(spec, platform.resolvers))
    if spec.service_account_name:  # by its identity the storage may know it, as it does the model's pods
        pod["serviceAccountName"] = spec.service_account_name
    if spec.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": secret.name} for secret in spec.image_pull_secrets]
    return pod


def _place(spec: api_spec.Spec, chosen: deployment.Resolvers) -> identity.Body:
    """Where the model may run, so may this pod: it is the same image, and the same way to the storage.

    Not so the rules of spreading: they are about the model's pods among each other, and this is one pod.
    """
    found: identity.Body = {}
    if selected := chosen.node_selector or spec.node_selector:
        found["nodeSelector"] = dict(selected)
    if tolerated := chosen.tolerations or _tolerated(spec):
        found["tolerations"] = list(tolerated)
    if spec.priority_class_name:
        found["priorityClassName"] = spec.priority_class_name
    return found


def _tolerated(spec: api_spec.Spec) -> list[identity.Body]:
    """The model's own, and those that Kubernetes gives its pods for the devices that they ask for.

    (The admission plugin ExtendedResourceToleration, on in GKE among others.) This pod asks for no device: it
    would find no node where the model's nodeSelector leads to nodes that are tainted for theirs.
    """
    own = [t.model_dump(mode="json", exclude_none=True) for t in spec.tolerations or ()]
    limits = (spec.resources and spec.resources.limits) or {}
    given = [
        {"key": name, "operator": "Exists", "effect": "NoSchedule"} for name in sorted(limits) if "/" in name
    ]
    return [*own, *(each for each in given if each not in own)]


def _container(model: api.InferenceModel, platform: deployment.Platform) -> identity.Body:
    return {
        "name": CONTAINER,
        "image": deployment.image_of(model, platform),
        "args": ["resolve"],
        "env": environment.of_resolver(
            model,
            answer_seconds=ANSWER_SECONDS,
            s3_endpoint_url=platform.s3_endpoint_url,
            s3_region=platform.s3_region,
            s3_authority=platform.s3_authority,
        ),
        "resources": platform.resolvers.resources or RESOURCES,
        "securityContext": deployment.CONTAINER_SECURITY,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "cache", "mountPath": environment.CACHE_DIRECTORY},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own, empty at its start
            *([platform.s3_authority.mount] if platform.s3_authority else []),
        ],
    }
