"""What guards the pods: a budget for each revision, and a policy of who may reach them for each model."""

import json
from typing import Any

import kubernetes_validate

from slipway_operator.domain import revision
from slipway_operator.rendering import access, deployment, disruption
from tests.rendering import models
from tests.rendering.test_templates import CORPUS, template

MODEL = models.model(models.LEAST)
MONITORING = {"matchLabels": {"team": "monitoring"}}
VISITORS = access.Visitors("slipway-system", json.dumps(MONITORING))


def budget() -> dict[str, Any]:
    name = revision.revision_of(models.LEAST)
    return disruption.of_revision(MODEL, revision=name, version="2.1", deployment_uid="deployment-uid")


def policy(visitors: access.Visitors = VISITORS) -> dict[str, Any]:
    return access.of_model(MODEL, visitors)


def test_both_are_what_the_api_server_knows() -> None:
    for guard in (budget(), policy(), policy(access.Visitors("slipway-system"))):
        kubernetes_validate.validate(guard, "1.35", strict=True)


def test_of_a_revisions_pods_one_may_be_evicted_and_a_broken_one_always() -> None:
    assert budget()["spec"]["maxUnavailable"] == 1
    assert budget()["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_each_selects_pods_as_they_are_made() -> None:
    labelled = template(CORPUS["least"])["metadata"]["labels"]
    for selector in (budget()["spec"]["selector"], policy()["spec"]["podSelector"]):
        assert selector["matchLabels"].items() <= labelled.items()


def test_a_budget_goes_with_its_deployment_and_a_policy_with_its_model() -> None:
    (owner,) = budget()["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["name"]) == (
        "Deployment",
        "deployment-uid",
        budget()["metadata"]["name"],
    )
    (owner,) = policy()["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("InferenceModel", "model-uid")


def test_requests_come_from_anywhere_and_metrics_are_read_by_monitoring_and_the_operator() -> None:
    requests, probes = policy()["spec"]["ingress"]
    assert [port["port"] for port in requests["ports"]] == [8080, 9000]
    assert "from" not in requests
    assert [port["port"] for port in probes["ports"]] == [8081]
    operator, monitoring = probes["from"]
    assert operator["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "slipway-system"}
    assert operator["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "slipway-operator"}
    assert monitoring == {"namespaceSelector": MONITORING}


def test_every_port_of_the_container_is_in_the_policy() -> None:
    (container,) = template(CORPUS["least"])["spec"]["containers"]
    named = {port["port"] for rule in policy()["spec"]["ingress"] for port in rule["ports"]}
    assert named == {port["containerPort"] for port in container["ports"]}


def test_outgoing_connections_are_not_restricted() -> None:
    assert policy()["spec"]["policyTypes"] == ["Ingress"]


def test_without_monitoring_the_operator_alone_reads_metrics() -> None:
    _, probes = policy(access.Visitors("slipway-system"))["spec"]["ingress"]
    assert len(probes["from"]) == 1


def test_by_default_a_platform_makes_no_policy() -> None:
    assert deployment.Platform("registry.test/runtime:1").visitors is None
