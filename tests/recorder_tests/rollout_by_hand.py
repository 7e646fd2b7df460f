"""The operator's writes, made one by one with kubectl, and the kubelet's: pods are called ready.

Must not know what is checked.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Kubectl

JsonObject = dict[str, Any]
_CRDS = Path(__file__).parents[2] / "crds"
_NAME = "sentiment"
_MODEL = {"slipway.dev/model": _NAME}
# On a node by name, for nothing schedules; without a grace, for nothing ends it.
_POD = {
    "nodeName": "nowhere",
    "terminationGracePeriodSeconds": 0,
    "containers": [{"name": "runtime", "image": "slipway.local/runtime:1"}],
}
_PORTS = [{"name": "http", "port": 80, "targetPort": 8080}]


def install_crd(kubectl: Kubectl) -> None:
    """Returns when models can be listed."""
    kubectl.run("apply", "--server-side", "-f", str(_CRDS))
    kubectl.run("wait", "--for=condition=Established", "crd/inferencemodels.slipway.dev")
    until(lambda: kubectl.attempt("get", "imodel").returncode == 0)


def make_node(kubectl: Kubectl) -> None:
    """The EndpointSlice controller leaves out pods of nodes that do not exist."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "nowhere"}}
    kubectl.run("create", "-f", "-", stdin=json.dumps(node))


def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait for it; an AssertionError when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


class ByHand:
    """One model with two replicas in one namespace."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._kubectl = kubectl
        self._namespace = namespace

    def ask(self, version: str) -> None:
        spec = {"version": version, "replicas": 2, "source": {"uri": f"s3://models/sentiment/{version}"}}
        self._apply("slipway.dev/v1alpha1", "InferenceModel", {"name": _NAME}, spec, by="kubectl")

    def deploy(self, revision: str, version: str) -> None:
        """The revision's Deployment and its own Service."""
        name, labels = f"{_NAME}-{revision}", {**_MODEL, "slipway.dev/revision": revision}
        labelled = {**labels, "slipway.dev/version": version}
        pod = {"metadata": {"labels": labelled}, "spec": _POD}
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}
        started = {"slipway.dev/attempt-started-at": datetime.now(UTC).isoformat()}
        metadata = {"name": name, "labels": labelled, "annotations": started}
        owned = {
            **metadata,
            "ownerReferences": [self._owner("slipway.dev/v1alpha1", "InferenceModel", _NAME)],
        }
        self._apply("apps/v1", "Deployment", owned, spec)
        proven = {
            "name": name,
            "labels": labelled,
            "ownerReferences": [self._owner("apps/v1", "Deployment", name)],
        }
        self._apply("v1", "Service", proven, {"selector": labels, "ports": _PORTS})

    def create_stable(self, revision: str) -> None:
        owner = self._owner("slipway.dev/v1alpha1", "InferenceModel", _NAME)
        metadata = {"name": _NAME, "labels": _MODEL, "ownerReferences": [owner]}
        spec = {"selector": {**_MODEL, "slipway.dev/revision": revision}, "ports": _PORTS}
        self._apply("v1", "Service", metadata, spec)

    def switch(self, origin: str, to: str) -> None:
        note = json.dumps({"from": origin, "to": to, "at": datetime.now(UTC).isoformat()})
        metadata = {"name": _NAME, "annotations": {"slipway.dev/switch": note}}
        spec = {"selector": {**_MODEL, "slipway.dev/revision": to}}
        self._apply("v1", "Service", metadata, spec, by="slipway-traffic")

    def report(self, revision: str, version: str) -> None:
        generation = self._kubectl.get("imodel", _NAME, namespace=self._namespace)["metadata"]["generation"]
        status = {"observedGeneration": generation, "activeVersion": version, "activeRevision": revision}
        self._patch("imodel", _NAME, {"status": status}, "status")

    def scale(self, revision: str, replicas: int) -> None:
        self._patch("deployment", f"{_NAME}-{revision}", {"spec": {"replicas": replicas}}, "scale")

    def make_ready(self, revision: str, count: int) -> None:
        """What the kubelet says of so many pods; returns when their own Service lists them."""
        self.wait_for_pods(revision, 2)
        for number, pod in enumerate(self._pods(revision)[:count]):
            address = f"10.0.{ord(revision[0])}.{number + 1}"
            ready = {"type": "Ready", "status": "True"}
            status = {
                "phase": "Running",
                "podIP": address,
                "podIPs": [{"ip": address}],
                "conditions": [ready],
            }
            self._patch("pod", pod["metadata"]["name"], {"status": status}, "status", by="kubelet")
        until(lambda: len(self._ready(f"{_NAME}-{revision}")) == count)

    def wait_for_pods(self, revision: str, count: int) -> None:
        until(lambda: len(self._pods(revision)) == count)

    def wait_for_traffic(self, count: int) -> None:
        until(lambda: len(self._ready(_NAME)) == count)

    def wait_for_pods_of(self, revision: str) -> None:
        """The stable Service's slices hold that revision's pods and no others."""
        uids = {pod["metadata"]["uid"] for pod in self._pods(revision)}
        until(lambda: self._ready(_NAME) == uids)

    def _pods(self, revision: str) -> list[JsonObject]:
        selector = f"slipway.dev/revision={revision}"
        return self._kubectl.list("pods", namespace=self._namespace, selector=selector)

    def _ready(self, service: str) -> set[str]:
        selector = f"kubernetes.io/service-name={service}"
        slices = self._kubectl.list("endpointslices", namespace=self._namespace, selector=selector)
        endpoints = [e for found in slices for e in found.get("endpoints") or []]
        return {e["targetRef"]["uid"] for e in endpoints if e["conditions"].get("ready")}

    def _owner(self, version: str, kind: str, name: str) -> JsonObject:
        uid = self._kubectl.get(kind, name, namespace=self._namespace)["metadata"]["uid"]
        return {"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": True}

    def _apply(
        self, version: str, kind: str, metadata: JsonObject, spec: JsonObject, *, by: str = "slipway"
    ) -> None:
        body = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
        arguments = ["apply", "--server-side", "--force-conflicts", f"--field-manager={by}", "-f", "-"]
        self._kubectl.run("-n", self._namespace, *arguments, stdin=json.dumps(body))

    def _patch(
        self, kind: str, name: str, changes: JsonObject, subresource: str, *, by: str = "slipway"
    ) -> None:
        flags = ["--type=merge", f"--subresource={subresource}", f"--field-manager={by}"]
        self._kubectl.run("-n", self._namespace, "patch", kind, name, *flags, "-p", json.dumps(changes))
