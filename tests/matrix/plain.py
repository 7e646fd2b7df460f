"""A model served without Slipway: somebody's Deployment of a runtime, and the Service that leads to it. Pure.

Must not know of any InferenceModel.
"""

from collections.abc import Mapping

from tests.cluster.kubectl import JsonObject
from tests.cluster.s3 import ENDPOINT
from tests.cluster.s3_manifests import ACCESS_KEY, REGION, SECRET_KEY
from tests.cluster.stack import CREDENTIALS
from tests.scenario import manifest

LABELS = {"app": "plain"}
DEPLOYMENT = "plain"
_USER = 10001
_CACHE, _TEMPORARY = "/var/lib/slipway", "/tmp"


def deployment(version: str, *, image: str, replicas: int) -> JsonObject:
    """That version of the example model."""
    template = {"metadata": {"labels": LABELS}, "spec": _pod(version, image)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT, "labels": LABELS},
        "spec": {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template},
    }


def service() -> JsonObject:
    """Of the model's name; its port leads to wherever a pod says that it speaks HTTP."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": manifest.NAME},
        "spec": {"selector": LABELS, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }


def _pod(version: str, image: str) -> JsonObject:
    return {
        "containers": [_container(version, image)],
        "volumes": [{"name": "cache", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": 90,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _container(version: str, image: str) -> JsonObject:
    variables = {
        "MODEL_NAME": manifest.NAME,
        "MODEL_VERSION": version,
        "MODEL_URI": manifest.uri(version),
        "SLIPWAY_CACHE_DIR": _CACHE,
        "AWS_ENDPOINT_URL": ENDPOINT,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    probe = {"httpGet": {"path": "/readyz", "port": 8081}, "periodSeconds": 1, "timeoutSeconds": 5}
    return {
        "name": "server",
        "image": image,
        "env": [*_plain(variables), *(_secret(key) for key in (ACCESS_KEY, SECRET_KEY))],
        "ports": [{"name": "http", "containerPort": 8080}],
        "startupProbe": {**probe, "failureThreshold": 600},
        "readinessProbe": {**probe, "failureThreshold": 3},
        "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "cache", "mountPath": _CACHE}, {"name": "tmp", "mountPath": _TEMPORARY}],
    }


def _plain(variables: Mapping[str, str]) -> list[JsonObject]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _secret(key: str) -> JsonObject:
    return {"name": key, "valueFrom": {"secretKeyRef": {"name": CREDENTIALS, "key": key}}}
