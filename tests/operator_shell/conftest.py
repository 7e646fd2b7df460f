"""A real control plane for the tests of operators as processes: no node, and pods that are ready at once."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operator_shell import kubelet
from tests.operator_shell.rest import Body, Rest
from tests.recorder_tests import rollout_by_hand
from tests.recorder_tests.control_plane import ControlPlane, control_plane_or_skip

OWNERS_ARE_GUARDED = "OwnerReferencesPermissionEnforcement"  # some distributions switch it on

_NUMBERS = itertools.count(1)


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A test's own namespace, which its operators watch, and the one where their Lease lies."""

    plane: ControlPlane
    rest: Rest
    models: str
    operators: str

    @property
    def settings(self) -> dict[str, str]:
        """Of operators that meet nobody else's; patient, for the machine may be busy."""
        return {
            "namespace": self.operators,
            "watch_namespaces": self.models,
            "lease_seconds": "20",
            "lease_renew_seconds": "15",
            "lease_retry_seconds": "1",
        }

    def ask(self, version: str, **rollout: int) -> None:
        """The model `sentiment` in that version."""
        spec = {
            "version": version,
            "source": {"uri": f"s3://models/sentiment/{version}"},
            "rollout": {"minReadySeconds": 0, "bakeSeconds": 0, "keepWarmSeconds": 0, **rollout},
        }
        if self.model() is not None:
            self.rest.patch(self._path, {"spec": spec})
            return
        body = {"apiVersion": "slipway.dev/v1alpha1", "kind": "InferenceModel"}
        collection = self._path.rpartition("/")[0]
        self.rest.create(collection, {**body, "metadata": {"name": "sentiment"}, "spec": spec})

    def model(self) -> Body | None:
        return self.rest.get(self._path)

    def arrived_at(self, version: str) -> bool:
        """Its rollout is complete."""
        status = (self.model() or {}).get("status", {})
        if status.get("rollout", {}).get("step") != "Complete":
            return False
        return bool(status.get("activeVersion") == version == status.get("targetVersion"))

    def lease(self, namespace: str = "", name: str = "slipway-operator") -> Body:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace or self.operators}/leases/{name}"
        found: Body = (self.rest.get(path) or {}).get("spec", {})
        return found

    @property
    def _path(self) -> str:
        return f"/apis/slipway.dev/v1alpha1/namespaces/{self.models}/inferencemodels/sentiment"


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    plane = control_plane_or_skip(tmp_path_factory.mktemp("operators"), admission=[OWNERS_ARE_GUARDED])
    try:
        plane.start()
        rollout_by_hand.install_crd(plane.kubectl)
        rollout_by_hand.make_node(plane.kubectl)
        plane.start_controllers("garbage-collector-controller")
        _wait_for_guard(Rest(plane))
        yield plane
    finally:
        plane.stop()


def _wait_for_guard(rest: Rest) -> None:
    """It refuses every owner of a kind that it has not heard of, and it listens every 30 s."""
    owner = {"apiVersion": "slipway.dev/v1alpha1", "kind": "InferenceModel", "name": "none", "uid": "none"}
    metadata = {"name": "owned", "ownerReferences": [{**owner, "blockOwnerDeletion": True}]}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    deadline = time.monotonic() + 120
    while True:
        try:
            rest.create("/api/v1/namespaces/default/configmaps?dryRun=All", body)
        except AssertionError:
            assert time.monotonic() < deadline, "the API server does not come to know InferenceModels"
            time.sleep(1)
        else:
            return


@pytest.fixture(scope="session")
def nodes(plane: ControlPlane) -> Iterator[None]:
    with kubelet.running(Rest(plane)):
        yield


@pytest.fixture
def place(plane: ControlPlane, nodes: None) -> Place:
    number = next(_NUMBERS)
    place = Place(plane, Rest(plane), models=f"models-{number}", operators=f"operators-{number}")
    for name in (place.models, place.operators):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        place.rest.create("/api/v1/namespaces", body)
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For what the operators say."""
    return tmp_path
