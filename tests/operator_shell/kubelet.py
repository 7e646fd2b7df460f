"""A node on which every pod is ready at once and gone at once, as the API server sees it. One that is to find
out what a source leads to has found it at once.

Kubernetes' own controllers make the pods and the EndpointSlices. Must not know of models.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.operator_shell.rest import Body, Rest

RESOLVES = "slipway.dev/resolves"
DIGEST = "0123456789abcdef" * 4
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
    elif RESOLVES in metadata.get("labels", {}):
        if pod.get("status", {}).get("phase") == "Pending":
            rest.patch(f"{path}/status", {"status": _resolved(pod)})
    elif not pod.get("status", {}).get("podIP"):
        rest.patch(f"{path}/status", {"status": _ready(address)})


def _resolved(pod: Body) -> Body:
    """As a runtime says it that finds what it was asked for; a folder called `absent` is not there."""
    container = pod["spec"]["containers"][0]
    uri = next(each["value"] for each in container["env"] if each["name"] == "MODEL_URI")
    absent = {"reason": "SourceNotFound", "message": f"there is nothing under {uri}/", "object": uri}
    missing = uri.endswith("/absent")
    says = absent if missing else {"uri": uri, "digest": DIGEST, "size": 1, "files": 1}
    ended = {
        "exitCode": 1 if missing else 0,
        "message": json.dumps(says),
        "reason": "Error" if missing else "Completed",
        "startedAt": _now(),
        "finishedAt": _now(),
    }
    status = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": ended},
    }
    return {"phase": "Failed" if missing else "Succeeded", "containerStatuses": [status]}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ready(address: str) -> Body:
    now = _now()
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now}],
    }
