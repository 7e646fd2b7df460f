"""Models that have nothing to do, and what the operator wrote meanwhile all the same.

Must not know how long they rest, nor how much is too much.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

from tests.cluster.kubectl import Kubectl
from tests.cluster.release import NAMESPACE
from tests.recorder.history import History
from tests.scenario import manifest
from tests.scenario.audit import Write
from tests.scenario.manifest import JsonObject
from tests.scenario.run import PATIENCE

_STEPS = {True: "Complete", False: "Hibernated"}


def settle(kubectl: Kubectl, namespace: str, *, models: int, awake: int = 2) -> None:
    """Apply so many models, `awake` of them with a pod, and return once all are at rest.

    KubectlError when one is not in time.
    """
    bodies = [_model(namespace, number, replicas=int(number < awake)) for number in range(models)]
    kubectl.apply(bodies)
    for body in bodies:
        step = _STEPS[body["spec"]["replicas"] > 0]
        of = f"imodel/{body['metadata']['name']}"
        kubectl.wait(f"jsonpath={{.status.rollout.step}}={step}", of, namespace=namespace, timeout=PATIENCE)


def needless(written: Iterable[Write], namespace: str, *, restless: Collection[str]) -> list[Write]:
    """What was written beside the Lease, also in vain; the status of what is `restless` has to be."""
    return [
        write
        for write in written
        if (write.namespace == namespace and write.name not in restless)
        or (write.namespace == NAMESPACE and write.what != "leases")
    ]


def restless(recording: Path) -> set[str]:
    """Models whose own pods changed: a busy node takes one for not ready, and the status has to say so."""
    moments = History.load(recording).moments()
    moved = (m.object.meta.model for m in moments if m.change.key.kind in ("Pod", "EndpointSlice"))
    return {name for name in moved if name is not None}


def _model(namespace: str, number: int, *, replicas: int) -> JsonObject:
    body = manifest.model("1", namespace=namespace, changes={"replicas": replicas})
    return manifest.overlay(body, {"metadata": {"name": f"{manifest.NAME}-{number}"}})
