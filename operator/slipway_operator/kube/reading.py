"""From the API's objects to what the planner sees. Pure: it is given what was read.

A pod counts as ready when its revision's EndpointSlice says so and its own status agrees: slices lag
behind pods, and either alone has been wrong.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

from slipway_operator.api import labels
from slipway_operator.api import model as api
from slipway_operator.domain import observed, unowned
from slipway_operator.kube import (
    editing,
    lacking,
    lending,
    namesakes,
    ownership,
    problems,
    repairs,
    resolvers,
    symptoms,
)
from slipway_operator.rendering import access, attempt, comparison, identity, source

Body = dict[str, Any]

SERVICE_OF_SLICE = "kubernetes.io/service-name"


@dataclasses.dataclass(frozen=True, slots=True)
class Cluster:
    """What was read of one model: its children by label, and whatever bears one of its names."""

    deployments: list[Body]
    services: list[Body]
    slices: list[Body]
    pods: list[Body]
    budgets: list[Body] = dataclasses.field(default_factory=list)
    access: Body | None = None  # whatever bears the name of the model's NetworkPolicy
    asked: str = ""  # the revision that is asked for: its names are needed, too
    resolvers: list[Body] = dataclasses.field(default_factory=list)

    def bodies(self) -> Iterator[tuple[str, Body]]:
        """Each object that bears a name of its own, with its kind."""
        yield from (("Deployment", body) for body in self.deployments)
        yield from (("Service", body) for body in self.services)
        yield from (("PodDisruptionBudget", body) for body in self.budgets)
        if self.access is not None:
            yield "NetworkPolicy", self.access


def observe(
    model: api.InferenceModel,
    seen: Cluster,
    *,
    watched_since: datetime.datetime | None = None,
    visitors: access.Visitors | None = None,
) -> observed.Observed:
    """The planner's view. `watched_since` is when this process began to look."""
    family = ownership.Family.of(model, seen.deployments)
    revisions = tuple(_revision(family, d, seen) for d in family.deployments)
    standing = [r.id for r in revisions if r.desired > 0]
    names = namesakes.needed(model, asked=seen.asked, standing=standing, restricted=visitors is not None)
    return observed.Observed(
        service=_traffic(family, seen),
        revisions=revisions,
        foreign=tuple(namesakes.foreign(family, seen.bodies(), names)),
        preview=_preview(family, seen),
        watched_since=watched_since,
        access=_access(family, seen, visitors),
        resolvers=tuple(resolvers.of_pod(p) for p in seen.resolvers if resolvers.is_ours(p, model)),
        unowned=tuple(_unowned(family, seen)),
        elsewhere=_elsewhere(family, seen),
    )


def _unowned(family: ownership.Family, seen: Cluster) -> Iterator[unowned.Unowned]:
    for kind, body in seen.bodies():
        if family.is_orphan(kind, body):
            yield unowned.Unowned(kind, body["metadata"]["name"])


def _traffic(family: ownership.Family, seen: Cluster) -> observed.TrafficService | None:
    service = _named(seen.services, family.model.name)
    ours = service is not None and _is_ours(family, service)
    return _traffic_of(family.model, service, seen) if service is not None and ours else None


def _elsewhere(family: ownership.Family, seen: Cluster) -> observed.TrafficService | None:
    """What somebody else's Service of the model's name leads to, as far as that is a revision of ours."""
    service = _named(seen.services, family.model.name)
    if service is None or _is_ours(family, service):
        return None
    found = _traffic_of(family.model, service, seen)
    return found if found.wide or found.revision is not None else None


def _is_ours(family: ownership.Family, stable: Body) -> bool:
    return family.has("Service", stable) or lending.is_borrowed(stable, family.model)


def _named(bodies: list[Body], name: str) -> Body | None:
    return next((body for body in bodies if body["metadata"]["name"] == name), None)


def _traffic_of(model: api.InferenceModel, service: Body, seen: Cluster) -> observed.TrafficService:
    selected = _selected(service, model.name)
    switch = attempt.read_switch(service["metadata"].get("annotations", {}))
    wide = _is_wide(service, model.name, switch)
    endpoints = _endpoints(seen.slices, model.name)
    ours = {p["metadata"]["uid"] for p in seen.pods if wide or _label(p, labels.REVISION) == selected}
    return observed.TrafficService(
        revision=selected,
        resource_version=service["metadata"]["resourceVersion"],
        switch=switch,
        ready=frozenset(uid for uid, ready in endpoints.items() if ready),
        foreign=frozenset(uid for uid in endpoints if uid not in ours),
        wide=wide,
        lent=lending.is_borrowed(service, model),
        marked=_label(service, labels.MODEL) == model.name,
        spoilt=ownership.is_owned(service, model.metadata.uid) and bool(repairs.of_stable(model, service)),
    )


def _access(family: ownership.Family, seen: Cluster, visitors: access.Visitors | None) -> observed.Access:
    found = seen.access
    if found is None or not family.has("NetworkPolicy", found):
        return observed.Access.ABSENT
    current = visitors is not None and comparison.owns(
        found.get("spec", {}), access.of_model(family.model, visitors)["spec"]
    )
    return observed.Access.CURRENT if current else observed.Access.OUTDATED


def _is_wide(service: Body, model: str, switch: observed.Switch | None) -> bool:
    """By a move of ours: a selector that somebody has cut down by hand is set right."""
    selector = service.get("spec", {}).get("selector", {})
    noted = switch is not None and switch.to == observed.EVERY_POD
    return noted and selector == identity.wide_selector(model)


def _preview(family: ownership.Family, seen: Cluster) -> observed.PreviewService | None:
    model = family.model.name
    service = _named(seen.services, identity.preview_name(model))
    if service is None or not family.has("Service", service):
        return None
    return observed.PreviewService(_selected(service, model), service["metadata"]["resourceVersion"])


def _selected(service: Body, model: str) -> str | None:
    """The revision that the selector names, if it is a selector of ours."""
    selector = service.get("spec", {}).get("selector", {})
    revision = selector.get(labels.REVISION)
    return revision if revision and selector == identity.selector(model, revision) else None


def _revision(family: ownership.Family, deployment: Body, seen: Cluster) -> observed.Revision:
    made, name, model = revision_of(deployment, seen), deployment["metadata"]["name"], family.model
    own = _named([s for s in seen.services if family.has("Service", s)], name)
    spoilt = own is not None and bool(repairs.of_revision(model, deployment, own))
    budget = _named([b for b in seen.budgets if family.has("PodDisruptionBudget", b)], name)
    loose = budget is not None and repairs.is_spoilt(model, deployment, budget)
    return dataclasses.replace(
        made,
        has_service=own is not None,
        spoilt_service=spoilt,
        has_budget=budget is not None,
        spoilt_budget=loose,
    )


def revision_of(deployment: Body, seen: Cluster) -> observed.Revision:
    """A Deployment, and of what was read what its pods and itself say: of its Service and budget nothing."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    annotations = metadata.get("annotations", {})
    revision = _label(deployment, labels.REVISION)
    pods = [p for p in seen.pods if _label(p, labels.REVISION) == revision and not _finished(p)]
    desired = spec.get("replicas", 1)
    ready = _ready(metadata["name"], pods, seen.slices)
    number = attempt.read_count(annotations, labels.ATTEMPT)
    latched = attempt.read_count(annotations, labels.LATCHED_REPLICAS)
    found = source.read(annotations.get(labels.RESOLVED_SOURCE, ""))
    return observed.Revision(
        id=revision,
        version=_label(deployment, labels.VERSION),
        desired=desired,
        pods=len(pods),
        ready=ready,
        has_service=False,
        attempt_started_at=attempt.begun(deployment),
        attempt_number=1 if number is None else number,
        latched=desired if latched is None else latched,
        beside=attempt.read_count(annotations, labels.BESIDE),
        promoted_at=attempt.read_time(annotations, labels.PROMOTED_AT),
        rejected=attempt.read_verdict(annotations, labels.REJECTED),
        released=attempt.read_verdict(annotations, labels.RELEASED),
        problems=problems.of_revision(deployment, pods),
        symptoms=symptoms.of_pods(pods),
        slower=annotations.get(labels.SLOWER, ""),
        short_since=lacking.short_since(deployment, pods, counted=[pod.uid for pod in ready]),
        edited_by=editing.editor_of_template(deployment),
        digest=found.digest if found else "",
    )


def _ready(service: str, pods: list[Body], slices: list[Body]) -> tuple[observed.ReadyPod, ...]:
    listed = {uid for uid, ready in _endpoints(slices, service).items() if ready}
    return tuple(
        observed.ReadyPod(uid=pod["metadata"]["uid"], since=since)
        for pod in pods
        if pod["metadata"]["uid"] in listed and (since := _ready_since(pod)) is not None
    )


def _ready_since(pod: Body) -> datetime.datetime | None:
    """When the pod became ready; None when it is not, or is leaving."""
    if "deletionTimestamp" in pod["metadata"]:
        return None
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "True":
            return attempt.read_timestamp(condition.get("lastTransitionTime", "")) or attempt.LONG_AGO
    return None


def _endpoints(slices: list[Body], service: str) -> dict[str, bool]:
    """Pod uid -> ready, over all slices of a Service: a pod may stand in two while they are rebalanced."""
    found: dict[str, bool] = {}
    for piece in slices:
        if _label(piece, SERVICE_OF_SLICE) != service:
            continue
        for endpoint in piece.get("endpoints") or []:
            uid = endpoint.get("targetRef", {}).get("uid", "")
            ready = endpoint.get("conditions", {}).get("ready", True) is not False
            found[uid] = found.get(uid, False) or ready
    return found


def _finished(pod: Body) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _label(child: Body, name: str) -> str:
    return str(child["metadata"].get("labels", {}).get(name, ""))
