"""The generators as Kubernetes objects. Pure: knows the image and the load, not the cluster."""

from __future__ import annotations

from tests.ledger.generator.load import Load

Manifest = dict[str, object]

PORT = 8090
RECORDS = "/records"
BYTES_PER_REQUEST = 600
FAREWELL_SECONDS = 30
COLLECTION_SECONDS = 1800
LABEL = "slipway.dev/ledger"


def namespace(name: str) -> Manifest:
    """Return the namespace, closed to anything that Pod Security `restricted` forbids."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def generator(name: str, *, namespace: str, image: str, target: str, load: Load) -> Manifest:
    """Return the Pod of one generator. It never restarts: a second life would know nothing of the first."""
    labels = {LABEL: "generator", "app.kubernetes.io/name": "slipway-ledger"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": FAREWELL_SECONDS,
            # A driver that died must not leave pods behind for good.
            "activeDeadlineSeconds": int(load.max_seconds) + COLLECTION_SECONDS,
            "topologySpreadConstraints": [_spread()],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "runAsGroup": 10001,
                "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(name, image, target, load)],
            "volumes": [{"name": "records", "emptyDir": {"sizeLimit": _size(load)}}],
        },
    }


def _container(name: str, image: str, target: str, load: Load) -> Manifest:
    environment = {
        "LEDGER_TARGET": target,
        "LEDGER_CLIENTS": load.clients_text(),
        "LEDGER_PACE": load.paces_text(),
        "LEDGER_SEED": str(load.seed),
        "LEDGER_MAX_SECONDS": str(load.max_seconds),
        "LEDGER_MAX_REQUESTS": str(load.max_requests),
        "LEDGER_NAME": name,
        "LEDGER_RECORDS": f"{RECORDS}/ledger.jsonl",
        "LEDGER_PORT": str(PORT),
    }
    return {
        "name": "generator",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": variable, "value": value} for variable, value in environment.items()],
        "ports": [{"name": "window", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/done", "port": PORT}, "periodSeconds": 5},
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "records", "mountPath": RECORDS}],
    }


def _spread() -> Manifest:
    """One node's kube-proxy is not the other's: the clients shall sit behind both."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": {"matchLabels": {LABEL: "generator"}},
    }


def _size(load: Load) -> str:
    return f"{64 + load.max_requests * BYTES_PER_REQUEST // (1 << 20)}Mi"
