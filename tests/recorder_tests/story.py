"""Histories told in sentences: what a user, the operator and Kubernetes' controllers write, one write a call.

The writes become lines of a recording like those of a real one. Must not know what is right or wrong.
"""

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.recorder.history import History
from tests.recorder.journal import Entry, Line
from tests.recorder.metadata import Key

JsonObject = dict[str, Any]
BEGIN = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
A, B, C = "a" * 10, "b" * 10, "c" * 10  # revisions of the versions 1, 2 and 3
VERSIONS = {A: "1", B: "2", C: "3"}
NAMESPACE, NAME, UID = "default", "sentiment", "uid-of-sentiment"
OWNER = {"apiVersion": "slipway.dev/v1alpha1", "kind": "InferenceModel", "name": NAME, "uid": UID}
USER, OPERATOR, TRAFFIC, CONTROLLER = "kubectl", "slipway", "slipway-traffic", "kube-controller-manager"


class Story:
    """Begins with an empty namespace; each write takes a fifth of a second."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.objects: dict[Key, JsonObject] = {}
        self._entries: list[Entry] = [Entry(BEGIN, "Service", Line.SYNCED, 1)]
        self._position = 1

    def history(self) -> History:
        """As it is read from the recording."""
        return History.of(self.entries())

    def entries(self) -> list[Entry]:
        """The lines of the recording, the end included."""
        ended = Entry(self.now, "Service", Line.ENDED, self._position)
        return copy.deepcopy([*self._entries, ended])

    def begin_recording(self) -> "Story":
        """What was told so far lies before the recording, which finds only what is there."""
        listed = [
            Entry(self.now, key.kind, Line.LISTED, self._position, copy.deepcopy(item))
            for key, item in self.objects.items()
        ]
        self._entries = [*listed, Entry(self.now, "Service", Line.SYNCED, self._position)]
        return self

    def wait(self, seconds: float) -> "Story":
        self.now += timedelta(seconds=seconds)
        return self

    def write(self, kind: str, name: str, changes: JsonObject, *, by: str, subresource: str = "") -> "Story":
        """Merge the changes into the object, as this field manager; it is created when it is not there."""
        key = Key(kind, NAMESPACE, name)
        known = self.objects.get(key)
        item = _merged(known or _new(key), changes)
        self._mark(item, by, subresource, changes)
        return self._tell(Line.MODIFIED if known else Line.ADDED, key, item)

    def unmarked(self, kind: str, name: str, changes: JsonObject) -> "Story":
        """A write that only takes fields away leaves no mark of its writer."""
        key = Key(kind, NAMESPACE, name)
        return self._tell(Line.MODIFIED, key, _merged(self.objects[key], changes))

    def delete(self, kind: str, name: str) -> "Story":
        key = Key(kind, NAMESPACE, name)
        return self._tell(Line.DELETED, key, self.objects[key])

    # The user

    def ask(self, version: str = "1", *, replicas: int = 2, by: str = USER, **rollout: Any) -> "Story":
        """Apply the model."""
        generation = self._model().get("metadata", {}).get("generation", 0) + 1
        spec = {"version": version, "replicas": replicas, "rollout": rollout}
        metadata = {"uid": UID, "generation": generation}
        return self.write("InferenceModel", NAME, {"metadata": metadata, "spec": spec}, by=by)

    # The operator

    def deploy(self, revision: str, *, replicas: int = 2, attempt: str = "", **more: Any) -> "Story":
        """Create the revision's Deployment, with the first attempt written on it."""
        started = {"slipway.dev/attempt-started-at": attempt or self.now.isoformat()}
        labels = labels_of(revision)
        body = {
            "metadata": {"labels": labels, "annotations": started, "ownerReferences": [_owner()]},
            "spec": {"replicas": replicas, "template": {"metadata": {"labels": labels}}},
        }
        return self.write("Deployment", f"{NAME}-{revision}", _merged(body, more), by=OPERATOR)

    def prove(self, revision: str, *, owned: bool = True, by: str = OPERATOR) -> "Story":
        """Create the revision's own Service, owned by its Deployment."""
        name = f"{NAME}-{revision}"
        if Key("Deployment", NAMESPACE, name) not in self.objects:
            self.deploy(revision)
        uid = self.objects[Key("Deployment", NAMESPACE, name)]["metadata"]["uid"]
        owner = {"kind": "Deployment", "name": name, "uid": uid, "controller": True}
        metadata = {"labels": labels_of(revision), "ownerReferences": [owner] if owned else []}
        return self.write("Service", name, {"metadata": metadata}, by=by)

    def annotate(self, revision: str, *, by: str = OPERATOR, **annotations: str | None) -> "Story":
        """Keys without the prefix, with _ for -."""
        named = {f"slipway.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
        return self.write("Deployment", f"{NAME}-{revision}", {"metadata": {"annotations": named}}, by=by)

    def scale(self, revision: str, replicas: int, *, by: str = OPERATOR) -> "Story":
        changes = {"spec": {"replicas": replicas}}
        return self.write("Deployment", f"{NAME}-{revision}", changes, by=by, subresource="scale")

    def select(
        self, revision: str | None, *, by: str = TRAFFIC, noted: str | None = None, origin: str = ""
    ) -> "Story":
        """Move (or create) the stable Service."""
        note = json.dumps({"from": origin, "to": noted or revision, "at": self.now.isoformat()})
        wide = {"slipway.dev/model": NAME}
        selector = {**wide, "slipway.dev/revision": revision} if revision else wide
        body = {
            "metadata": {
                "labels": wide,
                "annotations": {"slipway.dev/switch": note},
                "ownerReferences": [_owner()],
            },
            "spec": {"selector": selector},
        }
        return self.write("Service", NAME, body, by=by)

    def report(self, *, by: str = OPERATOR, **status: Any) -> "Story":
        """Write the status; `ready` gives the Ready condition."""
        generation = self._model()["metadata"]["generation"]
        body = {"observedGeneration": generation, **status}
        if "ready" in body:
            ready = {
                "type": "Ready",
                "status": body.pop("ready"),
                "observedGeneration": body["observedGeneration"],
            }
            body["conditions"] = [ready]
        changes = {"status": body}
        return self.write("InferenceModel", NAME, changes, by=by, subresource="status")

    # Kubernetes' controllers

    def ready(self, revision: str, count: int) -> "Story":
        """The EndpointSlice of the revision's own Service lists so many ready pods."""
        return self._slice(f"{NAME}-{revision}", revision, count)

    def traffic(self, revision: str, count: int) -> "Story":
        """The EndpointSlice of the stable Service lists so many ready pods of that revision."""
        return self._slice(NAME, revision, count)

    def both(self, revision: str, count: int) -> "Story":
        """Pods of the live revision come or go: both Services' slices tell."""
        return self.ready(revision, count).traffic(revision, count)

    # Chapters

    def first_version(self, *, replicas: int = 2, **rollout: Any) -> "Story":
        """Version 1 is applied and serves."""
        self.ask("1", replicas=replicas, **rollout).deploy(A, replicas=replicas).select(A)
        self.both(A, replicas).annotate(A, promoted_at=self.now.isoformat())
        return self.report(activeVersion="1", activeRevision=A, ready="True").wait(10)

    def second_version_ready(self, *, replicas: int = 2) -> "Story":
        """Version 2 is applied and its pods have come up."""
        self.ask("2", replicas=replicas, **self._model()["spec"]["rollout"])
        self.report(activeVersion="1", activeRevision=A, targetRevision=B, ready="False")
        return self.deploy(B, replicas=replicas).ready(B, replicas).wait(5)

    def switched(self, *, replicas: int = 2) -> "Story":
        """The traffic moves to version 2 and the EndpointSlices follow."""
        self.select(B, origin=A).traffic(B, replicas).annotate(B, promoted_at=self.now.isoformat())
        return self.report(activeVersion="2", activeRevision=B, ready="True").wait(10)

    def old_version_leaves(self) -> "Story":
        return self.scale(A, 0).ready(A, 0).wait(10)

    def rollout(self) -> "Story":
        """All of it, as it should be."""
        return self.first_version().second_version_ready().switched().old_version_leaves()

    def _slice(self, service: str, revision: str, count: int) -> "Story":
        endpoints = [
            {
                "addresses": [f"10.0.0.{n}"],
                "conditions": {"ready": True},
                "targetRef": {"uid": f"{revision}-{n}"},
            }
            for n in range(count)
        ]
        labels = {"kubernetes.io/service-name": service, "slipway.dev/model": NAME}
        body = {"metadata": {"labels": labels}, "endpoints": endpoints}
        return self.write("EndpointSlice", f"{service}-x2b4z", body, by=CONTROLLER)

    def _model(self) -> JsonObject:
        return self.objects.get(Key("InferenceModel", NAMESPACE, NAME), {})

    def _mark(self, item: JsonObject, by: str, subresource: str, changes: JsonObject) -> None:
        fields: JsonObject = {"f:spec": {f"f:{key}": {} for key in changes.get("spec", {})}}
        mark = {"manager": by, "operation": "Apply", "subresource": subresource}
        kept = [m for m in item["metadata"].get("managedFields", []) if {**m, **mark} != m]
        fresh = {**mark, "time": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"), "fieldsV1": fields}
        item["metadata"]["managedFields"] = [*kept, fresh]

    def _tell(self, line: Line, key: Key, item: JsonObject) -> "Story":
        self._position += 1
        self.now += timedelta(milliseconds=200)
        item["metadata"]["resourceVersion"] = str(self._position)
        if line is Line.DELETED:
            del self.objects[key]
        else:
            self.objects[key] = item
        self._entries.append(Entry(self.now, key.kind, line, self._position, copy.deepcopy(item)))
        return self


class LateStory(Story):
    """Recorded only from when the first version serves."""

    def first_version(self, *, replicas: int = 2, **rollout: Any) -> "Story":
        return super().first_version(replicas=replicas, **rollout).begin_recording()


def labels_of(revision: str) -> dict[str, str]:
    """The labels of a revision's children."""
    return {
        "slipway.dev/model": NAME,
        "slipway.dev/revision": revision,
        "slipway.dev/version": VERSIONS.get(revision, "9"),
    }


def _owner() -> JsonObject:
    return {**OWNER, "controller": True}


def _new(key: Key) -> JsonObject:
    return {"metadata": {"namespace": key.namespace, "name": key.name, "uid": f"uid-of-{key}"}}


def _merged(old: JsonObject, changes: JsonObject) -> JsonObject:
    """A JSON merge patch, but for selectors: those are replaced whole."""
    new = copy.deepcopy(old)
    for key, value in changes.items():
        if value is None:
            new.pop(key, None)
        elif isinstance(value, dict) and isinstance(new.get(key), dict) and key != "selector":
            new[key] = _merged(new[key], value)
        else:
            new[key] = copy.deepcopy(value)
    return new
