"""The kinds of objects that are recorded, and where the API server has them.

Must not know how they are read.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind, listed and watched over all namespaces at `path`."""

    name: str
    path: str


MODEL = Kind("InferenceModel", "/apis/slipway.dev/v1alpha1/inferencemodels")
SERVICE = Kind("Service", "/api/v1/services")
SLICE = Kind("EndpointSlice", "/apis/discovery.k8s.io/v1/endpointslices")
DEPLOYMENT = Kind("Deployment", "/apis/apps/v1/deployments")
REPLICA_SET = Kind("ReplicaSet", "/apis/apps/v1/replicasets")
POD = Kind("Pod", "/api/v1/pods")
BUDGET = Kind("PodDisruptionBudget", "/apis/policy/v1/poddisruptionbudgets")
EVENT = Kind("Event", "/api/v1/events")

ALL = (MODEL, SERVICE, SLICE, DEPLOYMENT, REPLICA_SET, POD, BUDGET, EVENT)
