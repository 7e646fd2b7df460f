"""What else stands in a namespace: budgets, policies, limits, people's hands, and Services that were there.

A real API server with Kubernetes' own controllers; the pods are called ready by hand.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from slipway_operator.rendering import deployment
from tests.operator_shell.conftest import Place
from tests.operator_shell.looks import Operator, Write
from tests.operator_shell.processes import until

pytestmark = pytest.mark.cluster

MOST_WRITES = 12
OLD = {"app": "old"}


def path(place: Place, group: str, kind: str, name: str = "") -> str:
    root = "/api/v1" if group == "v1" else f"/apis/{group}"
    return f"{root}/namespaces/{place.models}/{kind}" + (f"/{name}" if name else "")


def found(place: Place, group: str, kind: str, name: str) -> dict[str, Any]:
    body = place.rest.get(path(place, group, kind, name))
    assert body is not None, f"{kind} {name} is not there"
    return body


def ask(place: Place, version: str, *, replicas: int, **spec: Any) -> None:
    """The model, with as many pods."""
    place.ask(version)
    place.rest.patch(
        path(place, "slipway.dev/v1alpha1", "inferencemodels", "sentiment"),
        {"spec": {"replicas": replicas, **spec}},
    )


def status(place: Place) -> dict[str, Any]:
    return dict((place.model() or {}).get("status", {}))


def child(place: Place) -> str:
    return f"sentiment-{status(place)['activeRevision']}"


def guards(place: Place, name: str) -> int:
    """The budget and the Service of a revision, as many as are there."""
    places = (("policy/v1", "poddisruptionbudgets"), ("v1", "services"))
    return sum(place.rest.get(path(place, group, kind, name)) is not None for group, kind in places)


def test_a_rollout_is_few_writes_and_rest_is_none(place: Place) -> None:
    operator = Operator(place)
    ask(place, "1", replicas=2)
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    first = child(place)
    budget = found(place, "policy/v1", "poddisruptionbudgets", first)
    assert budget["spec"]["maxUnavailable"] == 1
    assert operator.looks_once() == []

    ask(place, "2", replicas=2)
    writes = operator.looks_until(lambda: place.arrived_at("2"), "version 2 is there")
    second = child(place)
    assert len(writes) <= MOST_WRITES, writes
    assert Write("create", "poddisruptionbudgets", second) in writes
    assert not [write for write in writes if write.kind == "networkpolicies"]
    assert operator.looks_once() == []

    ask(place, "2", replicas=1)
    operator.looks_until(
        lambda: place.rest.get(path(place, "policy/v1", "poddisruptionbudgets", second)) is None,
        "one pod has no budget",
    )


def test_a_policy_follows_the_administrators_settings(place: Place) -> None:
    ask(place, "1", replicas=1)
    Operator(place).looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    where = path(place, "networking.k8s.io/v1", "networkpolicies", "sentiment-runtime")
    assert place.rest.get(where) is not None
    without = Operator(place, dataclasses.replace(Operator(place).platform, visitors=None))
    without.looks_until(lambda: place.rest.get(where) is None, "the policy is gone")
    assert without.looks_once() == []


def test_another_default_image_and_settings_change_no_pod_that_is_there(place: Place) -> None:
    ask(place, "1", replicas=1)
    Operator(place).looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    before = found(place, "apps/v1", "deployments", child(place))
    newer = deployment.Platform("registry.test/runtime:2", "http://elsewhere:9000", "eu-north-1")
    Operator(place, newer).looks_until(lambda: place.arrived_at("1"), "it is there still")
    Operator(place, newer).looks_once()
    after = found(place, "apps/v1", "deployments", child(place))
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert "TemplateDrifted" not in json.dumps(status(place))


def test_other_common_labels_are_for_what_is_made_from_then_on(place: Place) -> None:
    ask(place, "1", replicas=2)
    operator = Operator(place)
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    labelled = Operator(place, dataclasses.replace(operator.platform, labels={"team": "ml"}))
    assert labelled.looks_once() == []

    first = child(place)
    ask(place, "2", replicas=2)
    labelled.looks_until(lambda: place.arrived_at("2"), "version 2 is there")
    assert labelled.looks_once() == []
    made = found(place, "apps/v1", "deployments", child(place))
    assert made["spec"]["template"]["metadata"]["labels"]["team"] == "ml"
    for group, kind in (
        ("apps/v1", "deployments"),
        ("v1", "services"),
        ("policy/v1", "poddisruptionbudgets"),
    ):
        assert found(place, group, kind, child(place))["metadata"]["labels"]["team"] == "ml"
    for group, kind, name in (("apps/v1", "deployments", first), ("v1", "services", "sentiment")):
        assert "team" not in found(place, group, kind, name)["metadata"]["labels"]
    assert Operator(place).looks_once() == [], "and back: nobody puts it right"


def test_hands_on_the_children_are_repaired_or_told(place: Place) -> None:
    operator = Operator(place)
    ask(place, "1", replicas=2)
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    name = child(place)
    where = path(place, "apps/v1", "deployments", name)

    place.rest.patch(f"{where}/scale", {"spec": {"replicas": 1}})
    scaled = operator.looks_until(
        lambda: found(place, "apps/v1", "deployments", name)["spec"]["replicas"] == 2, "two again"
    )
    assert Write("patch", "deployments", name) in scaled

    place.rest.ask("DELETE", path(place, "policy/v1", "poddisruptionbudgets", name))
    place.rest.ask("DELETE", path(place, "v1", "services", name))
    made = operator.looks_until(lambda: guards(place, name) == 2, "all is back")
    assert {write.kind for write in made} == {"services", "poddisruptionbudgets"}

    edited = {"spec": {"template": {"metadata": {"annotations": {"example.com/by": "hand"}}}}}
    place.rest.patch(f"{where}?fieldManager=kubectl-edit", edited)
    operator.looks_until(lambda: "TemplateDrifted" in json.dumps(status(place)), "it is told")
    kept = found(place, "apps/v1", "deployments", name)
    assert kept["spec"]["template"]["metadata"]["annotations"] == {"example.com/by": "hand"}
    assert "kubectl-edit has changed the pods of version 1" in status(place)["rollout"]["message"]


def test_edited_services_are_put_right_and_nobody_is_said_to_be_unserved_meanwhile(place: Place) -> None:
    operator = Operator(place)
    ask(place, "1", replicas=2)
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    stable, own = path(place, "v1", "services", "sentiment"), path(place, "v1", "services", child(place))
    before = [found(place, "v1", "services", name)["spec"] for name in ("sentiment", child(place))]

    for where in (stable, own):
        place.rest.patch(where, {"metadata": {"labels": {"slipway.dev/model": None}}})
    place.rest.patch(stable, {"spec": {"ports": [{"name": "http", "port": 81, "targetPort": 9999}]}})
    place.rest.patch(own, {"spec": {"selector": {"app": "mine"}}})
    until_copied(place)
    seen: list[str] = []
    operator.looks_until(
        lambda: before == [found(place, "v1", "services", n)["spec"] for n in ("sentiment", child(place))],
        "both are as they were",
        between=lambda: seen.append(serving(place)),
    )
    assert set(seen) == {"True"}
    for where in (stable, own):
        assert (place.rest.get(where) or {})["metadata"]["labels"]["slipway.dev/model"] == "sentiment"
    operator.looks_until(lambda: status(place)["readyReplicas"] == 2, "its own Service shows both pods again")
    assert operator.looks_once() == []


def test_a_budget_that_somebody_has_edited_is_made_anew(place: Place) -> None:
    operator = Operator(place)
    ask(place, "1", replicas=2)
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    where = path(place, "policy/v1", "poddisruptionbudgets", child(place))
    place.rest.patch(where, {"spec": {"maxUnavailable": None, "minAvailable": 1}})

    operator.looks_until(
        lambda: (place.rest.get(where) or {}).get("spec", {}).get("maxUnavailable") == 1,
        "one at a time again",
    )
    assert operator.looks_once() == []


def until_copied(place: Place) -> None:
    """The EndpointSlice of the stable Service bears the labels of the Service."""
    until(
        lambda: not [s for s in slices_of(place) if "slipway.dev/model" in s["metadata"]["labels"]], "copied"
    )


def slices_of(place: Place) -> list[dict[str, Any]]:
    listed = place.rest.items(path(place, "discovery.k8s.io/v1", "endpointslices"))
    name = "kubernetes.io/service-name"
    return [s for s in listed if s["metadata"]["labels"].get(name) == "sentiment"]


def serving(place: Place) -> str:
    return str(next(c["status"] for c in status(place)["conditions"] if c["type"] == "Serving"))


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        pytest.param({"max": {"memory": "1Gi"}}, "maximum memory usage per Container is 1Gi", id="a maximum"),
        pytest.param({"min": {"cpu": "200m"}}, "minimum cpu usage per Container is 200m", id="a minimum"),
        pytest.param(
            {"maxLimitRequestRatio": {"memory": "2"}}, "memory max limit to request ratio", id="a ratio"
        ),
    ],
)
def test_a_limit_range_that_forbids_the_pods_is_named(place: Place, limit: dict[str, Any], says: str) -> None:
    place.rest.create(
        path(place, "v1", "limitranges"),
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "small"},
            "spec": {"limits": [{"type": "Container", **limit}]},
        },
    )
    resources = {"limits": {"memory": "4Gi"}, "requests": {"memory": "1Gi", "cpu": "100m"}}
    ask(place, "1", replicas=1, resources=resources)
    Operator(place).looks_until(lambda: "LimitRangeViolated" in json.dumps(status(place)), "it is named")
    stalled = next(c for c in status(place)["conditions"] if c["type"] == "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "LimitRangeViolated")
    assert says in stalled["message"]
    place.rest.ask("DELETE", path(place, "slipway.dev/v1alpha1", "inferencemodels", "sentiment"))


def test_a_namespace_that_enforces_restricted_admits_the_pods(place: Place) -> None:
    enforced = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    place.rest.patch(f"/api/v1/namespaces/{place.models}", enforced)
    ask(place, "1", replicas=2)
    Operator(place).looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    assert status(place)["readyReplicas"] == 2


def test_an_autoscaler_sees_the_active_revision_alone_and_its_word_holds(place: Place) -> None:
    operator = Operator(place)
    ask(place, "1", replicas=2)
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    scale = path(place, "slipway.dev/v1alpha1", "inferencemodels", "sentiment/scale")
    model = found(place, "slipway.dev/v1alpha1", "inferencemodels", "sentiment")

    ask(place, "2", replicas=2)
    seen: list[str] = []

    def scales_in_mid_rollout() -> None:
        body = place.rest.get(scale) or {}
        seen.append(body["status"]["selector"])
        if len(seen) == 1:
            place.rest.patch(scale, {"spec": {"replicas": 3}})

    operator.looks_until(lambda: place.arrived_at("2"), "version 2 is there", between=scales_in_mid_rollout)
    operator.looks_until(lambda: status(place)["readyReplicas"] == 3, "three pods")
    selectors = [
        f"slipway.dev/model=sentiment,slipway.dev/revision={revision}"
        for revision in (
            model["status"]["activeRevision"],
            status(place)["activeRevision"],
        )
    ]
    assert list(dict.fromkeys(seen)) == selectors
    assert found(place, "slipway.dev/v1alpha1", "inferencemodels", "sentiment")["spec"]["replicas"] == 3


def lend(place: Place, *, target_port: Any) -> None:
    """Somebody's Deployment of two pods, and the Service that leads to them."""
    container = {"name": "c", "image": "old:1", "ports": [{"name": "http", "containerPort": 5000}]}
    template = {"metadata": {"labels": OLD}, "spec": {"containers": [container]}}
    place.rest.create(
        path(place, "apps/v1", "deployments"),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "old"},
            "spec": {"replicas": 2, "selector": {"matchLabels": OLD}, "template": template},
        },
    )
    place.rest.create(
        path(place, "v1", "services"),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "sentiment"},
            "spec": {"selector": OLD, "ports": [{"name": "web", "port": 80, "targetPort": target_port}]},
        },
    )


def annotate(place: Place, value: str | None) -> None:
    body = {"metadata": {"annotations": {"slipway.dev/adopt": value}}}
    place.rest.patch(path(place, "v1", "services", "sentiment"), body)


def behind(place: Place) -> int:
    """Ready endpoints of the Service, whosever they are."""
    ready = [e for s in slices_of(place) for e in s.get("endpoints") or [] if e["conditions"].get("ready")]
    return len({e["targetRef"]["uid"] for e in ready})


def test_a_service_that_is_lent_is_taken_over_without_a_gap(place: Place) -> None:
    operator = Operator(place)
    lend(place, target_port="http")
    operator.looks_until(lambda: behind(place) == 2, "the old pods answer")
    ask(place, "1", replicas=2)
    operator.looks_until(lambda: "NameConflict" in json.dumps(status(place)), "it is not lent yet")
    old = found(place, "apps/v1", "deployments", "old")

    annotate(place, "true")
    fewest: list[int] = []
    operator.looks_until(
        lambda: place.arrived_at("1"), "version 1 has it", between=lambda: fewest.append(behind(place))
    )
    assert min(fewest) >= 2
    service = found(place, "v1", "services", "sentiment")
    assert service["spec"]["selector"]["slipway.dev/revision"] == status(place)["activeRevision"]
    assert "ownerReferences" not in service["metadata"]
    assert json.loads(service["metadata"]["annotations"]["slipway.dev/adopted-selector"]) == OLD
    after = found(place, "apps/v1", "deployments", "old")
    assert after["metadata"]["generation"] == old["metadata"]["generation"]
    assert operator.looks_once() == []

    ask(place, "2", replicas=2)
    operator.looks_until(lambda: place.arrived_at("2"), "version 2 has it")
    annotate(place, None)
    operator.looks_until(lambda: "NameConflict" in json.dumps(status(place)), "it is no longer lent")
    assert (serving(place), status(place)["activeVersion"], behind(place)) == ("True", "2", 2)
    assert found(place, "v1", "services", "sentiment")["spec"] == {
        **service["spec"],
        "selector": {**service["spec"]["selector"], "slipway.dev/revision": status(place)["targetRevision"]},
    }


def test_a_service_whose_ports_lead_elsewhere_is_let_be_and_the_status_says_how_to_lend_it(
    place: Place,
) -> None:
    lend(place, target_port=5000)
    annotate(place, "true")
    ask(place, "1", replicas=1)
    before = found(place, "v1", "services", "sentiment")
    Operator(place).looks_until(lambda: "NameConflict" in json.dumps(status(place)), "it is in the way")
    assert "its port 80 leads to 5000" in status(place)["rollout"]["message"]
    assert found(place, "v1", "services", "sentiment") == before
