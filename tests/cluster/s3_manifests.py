"""The S3 server's objects: one restricted pod whose content goes with it, and the Service before it.

Pure. Must not know what is stored.
"""

from tests.cluster.kubectl import JsonObject

NAMESPACE = "slipway-s3"
NAME = "s3"
PORT = 7070
REGION = "us-east-1"
ACCESS_KEY, SECRET_KEY = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"

_USER = 65532
_LABELS = {"app.kubernetes.io/name": "versitygw", "app.kubernetes.io/part-of": "slipway-tests"}


def all_of(image: str, root: dict[str, str]) -> list[JsonObject]:
    """Everything in the namespace, and the namespace; `root` is what its Secret holds."""
    return [restricted_namespace(NAMESPACE), secret(NAME, NAMESPACE, root), _deployment(image), _service()]


def restricted_namespace(name: str) -> JsonObject:
    """A namespace that admits no pod which Pod Security calls less than restricted."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def secret(name: str, namespace: str, values: dict[str, str]) -> JsonObject:
    """A Secret of plain values."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def _service() -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"selector": _LABELS, "ports": [{"name": "s3", "port": PORT, "targetPort": PORT}]},
    }


def _deployment(image: str) -> JsonObject:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": _pod(image)},
        },
    }


def _pod(image: str) -> JsonObject:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(image)],
        "volumes": [{"name": name, "emptyDir": {"sizeLimit": size}} for name, size in _VOLUMES],
    }


_VOLUMES = (("data", "4Gi"), ("accounts", "16Mi"))


def _container(image: str) -> JsonObject:
    options = ["--port", f":{PORT}", "--region", REGION, "--health", "/health", "--quiet"]
    keys = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    return {
        "name": "versitygw",
        "image": image,
        "args": [*options, "--iam-dir", "/accounts", "posix", "/data"],
        "env": [
            {"name": variable, "valueFrom": {"secretKeyRef": {"name": NAME, "key": key}}}
            for variable, key in keys.items()
        ],
        "ports": [{"name": "s3", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name, _ in _VOLUMES],
    }
