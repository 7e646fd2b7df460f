"""InferenceModels for the tests of what is rendered: one that says the least, one that says everything."""

from typing import Any

from slipway_operator.api import model as api

LEAST: dict[str, Any] = {"version": "2.1", "source": {"uri": "s3://models/sentiment/2"}}

EVERYTHING: dict[str, Any] = {
    "version": "2.1",
    "source": {
        "uri": "s3://models/sentiment/2",
        "sha256": "0123456789abcdef" * 4,
        "credentialsSecretName": "s3-models",
    },
    "replicas": 3,
    "resources": {"limits": {"nvidia.com/gpu": 1, "memory": "4Gi"}, "requests": {"cpu": "500m"}},
    "runtime": {
        "image": "registry.test/runtime:gpu",
        "executionProvider": "cuda",
        "batching": {"maxBatchSize": 16, "maxWaitMilliseconds": 5},
        "maxTextsPerRequest": 10,
    },
    "rollout": {
        "drain": {"timeoutSeconds": 20},
        "verification": {"examples": [{"text": "fine", "label": "positive", "minScore": 0.7}]},
    },
    "restartToken": "1",
    "nodeSelector": {"nvidia.com/gpu.product": "H200"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "priorityClassName": "models",
    "imagePullSecrets": [{"name": "registry"}],
    "serviceAccountName": "models-reader",
}


def model(spec: dict[str, Any], **metadata: Any) -> api.InferenceModel:
    """The model as the operator parses it, called `sentiment` in `default` unless told otherwise."""
    known = {"name": "sentiment", "namespace": "default", "uid": "model-uid", "generation": 3}
    return api.InferenceModel.parse({"metadata": {**known, **metadata}, "spec": spec})
