"""One look at the operator from outside: its pod, what the kubelet complains of, and its own metrics.

Nothing is raised: what could not be asked is said in `problem`, and may be answered at the next look.
Must not know how often is looked, nor what is made of it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import JsonObject, Kubectl
from tests.cluster.release import NAMESPACE, PODS

METRICS_PORT = 9090
_EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events?fieldSelector=reason%3DUnhealthy"
_LIVENESS = "Liveness probe failed"
_READING = ("get", "list")


@dataclass(frozen=True, slots=True)
class Sample:
    """How the operator was. Counters are those of its process: they begin anew with it."""

    at: str
    seconds: float  # since the first look
    pod: str = ""  # its uid
    container: str = ""  # its id
    restarts: int = 0  # of the pod's container, as the kubelet counts them
    liveness: Mapping[str, int] | None = None  # failures so far, by the Event that tells of them
    rss: float | None = None  # bytes
    cpu: float | None = None  # seconds
    reads: float | None = None  # requests to the API server
    problem: str = ""

    @property
    def life(self) -> tuple[str, str] | None:
        """Which process it was; None when that could not be asked."""
        return (self.pod, self.container) if self.pod else None

    def __str__(self) -> str:
        if self.rss is None:
            return self.problem or "no figures"
        return f"RSS {self.rss / 2**20:.1f} MiB, {self.restarts} restarts"


def look(kubectl: Kubectl, *, now: datetime, seconds: float) -> Sample:
    """The operator as it is; it may take a few seconds."""
    facts: dict[str, Any] = {}
    problems: list[str] = []

    def ask(part: Callable[[], Mapping[str, object]]) -> None:
        try:
            facts.update(part())
        except (ClusterError, ValueError) as error:  # the latter: an answer that was cut short
            problems.append(str(error))

    def of_pod() -> Mapping[str, object]:
        pod = _pod(kubectl)
        ask(lambda: of_metrics(_metrics(kubectl, pod["metadata"]["name"])))
        return life(pod)

    ask(of_pod)
    ask(lambda: {"liveness": liveness(_events(kubectl), pod=facts.get("pod", ""))})
    return Sample(
        at=now.isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        **facts,
        problem=" ".join("; ".join(problems).split()),
    )


def life(pod: JsonObject) -> Mapping[str, object]:
    """Which process runs in the pod."""
    containers = pod["status"].get("containerStatuses", [])
    return {
        "pod": pod["metadata"]["uid"],
        "container": " ".join(one.get("containerID", "") for one in containers),
        "restarts": sum(one["restartCount"] for one in containers),
    }


def liveness(events: list[JsonObject], *, pod: str) -> Mapping[str, int]:
    """How often the kubelet has told of a failed liveness probe of that pod, by the Event's uid."""
    told = [event for event in events if event.get("involvedObject", {}).get("uid") == pod]
    return {
        event["metadata"]["uid"]: event.get("count") or 1
        for event in told
        if _LIVENESS in event.get("message", "")
    }


def of_metrics(text: str) -> Mapping[str, object]:
    """Memory, processor time and reads, from what the operator shows to Prometheus."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    single = {sample.name: sample.value for sample in samples if not sample.labels}
    return {
        "rss": single.get("process_resident_memory_bytes"),
        "cpu": single.get("process_cpu_seconds_total"),
        "reads": sum(
            sample.value
            for sample in samples
            if sample.name == "slipway_api_requests_total" and sample.labels["verb"] in _READING
        ),
    }


def _pod(kubectl: Kubectl) -> JsonObject:
    pods = kubectl.list("pod", namespace=NAMESPACE, selector=PODS)
    standing = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    if len(standing) != 1:
        raise ClusterError(f"{len(standing)} pods of the operator stand in {NAMESPACE}, and not one.")
    return standing[0]


def _metrics(kubectl: Kubectl, pod: str) -> str:
    return kubectl.raw(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:{METRICS_PORT}/proxy/metrics")


def _events(kubectl: Kubectl) -> list[JsonObject]:
    events: list[JsonObject] = json.loads(kubectl.raw(_EVENTS))["items"]
    return events
