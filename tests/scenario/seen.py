"""One model and its children as last recorded, in the words that tests speak of them.

Must not know what a test did, nor what it hopes for.
"""

from collections.abc import Callable
from pathlib import Path

from slipway_operator.api import labels
from slipway_operator.domain.revision import child_name
from tests.scenario import manifest
from tests.scenario.view import JsonObject, View


class Seen:
    """The model of one namespace. Absent objects are {} here: nothing is asked for, nothing raised."""

    def __init__(self, recording: Path, namespace: str) -> None:
        self.view = View(recording)
        self._namespace = namespace

    @property
    def model(self) -> JsonObject:
        return self._find("InferenceModel", manifest.NAME)

    @property
    def status(self) -> JsonObject:
        return dict(self.model.get("status") or {})

    @property
    def step(self) -> str:
        return str(self.status.get("rollout", {}).get("step", ""))

    @property
    def service(self) -> JsonObject:
        """The stable Service."""
        return self._find("Service", manifest.NAME)

    @property
    def selected(self) -> str:
        """The revision that the stable Service selects, or ''."""
        return str(self.service.get("spec", {}).get("selector", {}).get(labels.REVISION, ""))

    def condition(self, kind: str) -> JsonObject:
        listed = self.status.get("conditions") or []
        return next((dict(each) for each in listed if each["type"] == kind), {})

    def holds(self, kind: str, reason: str) -> bool:
        """The condition is True for that reason."""
        found = self.condition(kind)
        return (found.get("status"), found.get("reason")) == ("True", reason)

    def speaks_of(self, generation: int) -> bool:
        """The status is about the spec of that generation, or a later one."""
        return bool(self.status.get("observedGeneration", -1) >= generation)

    def version(self, revision: str) -> JsonObject:
        """The revision's entry in status.versions."""
        listed = self.status.get("versions") or []
        return next((dict(each) for each in listed if each["revision"] == revision), {})

    def deployment(self, revision: str) -> JsonObject:
        return self._find("Deployment", child_name(manifest.NAME, revision))

    def deployments(self) -> set[str]:
        """Names of the model's Deployments."""
        return {
            item["metadata"]["name"] for item in self.view.of("Deployment", {labels.MODEL: manifest.NAME})
        }

    def replicas(self, revision: str) -> int:
        """Those that its Deployment asks for; 0 when there is none."""
        return int(self.deployment(revision).get("spec", {}).get("replicas", 0))

    def pods(self, revision: str) -> set[str]:
        """Uids of the revision's pods, also of those that are ending."""
        return {item["metadata"]["uid"] for item in self.view.of("Pod", {labels.REVISION: revision})}

    def ready(self, revision: str) -> set[str]:
        """Uids of those that say that they are ready."""
        return {
            item["metadata"]["uid"]
            for item in self.view.of("Pod", {labels.REVISION: revision})
            for each in item.get("status", {}).get("conditions") or []
            if (each["type"], each["status"]) == ("Ready", "True")
        }

    def container_states(self, revision: str) -> list[JsonObject]:
        """The present states of the revision's containers: {"running": …}, {"waiting": …}."""
        return [
            status["state"]
            for item in self.view.of("Pod", {labels.REVISION: revision})
            for status in item.get("status", {}).get("containerStatuses") or []
        ]

    def until(self, condition: Callable[[], bool], *, what: str, timeout: float) -> None:
        """Wait for a recorded state; AssertionError says how the model is instead."""
        try:
            self.view.until(condition, what=what, timeout=timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.told()}") from None

    def told(self) -> str:
        """What the model says of itself, in a line."""
        says = [
            f"{each['type']}={each['status']}: {each['message']}"
            for each in self.status.get("conditions", [])
        ]
        return "; ".join([f"step {self.step or 'none'}", f"selected {self.selected or 'none'}", *says])

    def _find(self, kind: str, name: str) -> JsonObject:
        return self.view.find(kind, self._namespace, name) or {}
