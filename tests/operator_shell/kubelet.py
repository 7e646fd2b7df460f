"""A node on which every pod is ready at once and gone at once, as the API server sees it.

Kubernetes' own controllers make the pods and the EndpointSlices. Must not know of models.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.operator_shell.rest import Body, Rest

NODE = "nowhere"  # made by rollout_by_hand.make_node


@contextlib.contextmanager
def running(rest: Rest) -> Iterator[None]:
    """For as long as the block lasts."""
    ended = threading.Event()
    thread = threading.Thread(target=_tend, args=(rest, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _tend(rest: Rest, ended: threading.Event) -> None:
    number = 0
    while not ended.wait(0.3):
        for pod in rest.items("/api/v1/pods"):
            number += 1
            _look(rest, pod, address=f"10.{number // 62500 % 250}.{number // 250 % 250}.{number % 250 + 1}")


def _look(rest: Rest, pod: Body, *, address: str) -> None:
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
    if metadata.get("deletionTimestamp"):
        rest.ask("DELETE", path, {"gracePeriodSeconds": 0}, content="application/json")
    elif not pod["spec"].get("nodeName"):
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": metadata["name"]}}
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        with contextlib.suppress(AssertionError):  # it may have gone meanwhile
            rest.create(f"{path}/binding", {**binding, "target": target})
    elif not pod.get("status", {}).get("podIP"):
        rest.patch(f"{path}/status", {"status": _ready(address)})


def _ready(address: str) -> Body:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now}],
    }
