"""A revision's resolver pod: the runtime's image and the user's Secret, and no GPU. It says in its last words
what the model's source leads to.

It bears none of the labels by which a model's pods are selected or counted. Must not know when there is one.
"""

from __future__ import annotations

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.rendering import deployment, environment, identity

# It lists a folder and reads one small file. The time covers a Secret that comes later, or a slow image.
REQUESTS = {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"}
LIMITS = {"memory": "256Mi", "ephemeral-storage": "128Mi"}
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
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod(model, platform)}


def _pod(model: api.InferenceModel, platform: deployment.Platform) -> identity.Body:
    pod: identity.Body = {
        "containers": [_container(model, platform)],
        "volumes": [
            {"name": "cache", "emptyDir": {"sizeLimit": LIMITS["ephemeral-storage"]}},
            {"name": "tmp", "emptyDir": {"sizeLimit": LIMITS["ephemeral-storage"]}},
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
    if spec.tolerations:  # it may stand where the model may; nothing makes it go there
        pod["tolerations"] = [t.model_dump(mode="json", exclude_none=True) for t in spec.tolerations]
    if spec.service_account_name:  # by its identity the storage may know it, as it does the model's pods
        pod["serviceAccountName"] = spec.service_account_name
    if spec.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": secret.name} for secret in spec.image_pull_secrets]
    return pod


def _container(model: api.InferenceModel, platform: deployment.Platform) -> identity.Body:
    return {
        "name": "resolver",
        "image": deployment.image_of(model, platform),
        "args": ["resolve"],
        "env": environment.of_resolver(
            model,
            answer_seconds=ANSWER_SECONDS,
            s3_endpoint_url=platform.s3_endpoint_url,
            s3_region=platform.s3_region,
            s3_authority=platform.s3_authority,
        ),
        "resources": {"requests": REQUESTS, "limits": LIMITS},
        "securityContext": deployment.CONTAINER_SECURITY,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "cache", "mountPath": environment.CACHE_DIRECTORY},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own, empty at its start
            *([platform.s3_authority.mount] if platform.s3_authority else []),
        ],
    }
