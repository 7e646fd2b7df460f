"""What a source leads to is found out once, by a pod, and is in the Deployment from then on.

A real API server with Kubernetes' own controllers; the pods' ends are played.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator_shell import kubelet
from tests.operator_shell.conftest import Place
from tests.operator_shell.looks import Operator, Write

pytestmark = pytest.mark.cluster


def path(place: Place, group: str, kind: str) -> str:
    root = "/api/v1" if group == "v1" else f"/apis/{group}"
    return f"{root}/namespaces/{place.models}/{kind}"


def resolvers(place: Place) -> list[str]:
    pods = place.rest.items(path(place, "v1", "pods"))
    return [p["metadata"]["name"] for p in pods if kubelet.RESOLVES in p["metadata"]["labels"]]


def deployments(place: Place) -> list[dict[str, Any]]:
    return place.rest.items(path(place, "apps/v1", "deployments"))


def status(place: Place) -> dict[str, Any]:
    return dict((place.model() or {}).get("status", {}))


def stalled(place: Place) -> dict[str, Any]:
    return next((c for c in status(place).get("conditions", []) if c["type"] == "Stalled"), {})


def test_what_was_found_is_frozen_and_said_and_the_pod_has_gone(place: Place) -> None:
    operator = Operator(place)
    place.ask("1")
    writes = operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    made = [write for write in writes if write.kind == "pods"]
    assert [write.verb for write in made] == ["create", "delete"]
    assert made[0].name.endswith("-resolver-1")
    assert resolvers(place) == []

    (deployment,) = deployments(place)
    note = json.loads(deployment["metadata"]["annotations"]["slipway.dev/resolved-source"])
    assert note == {"uri": "s3://models/sentiment/1", "digest": kubelet.DIGEST}
    told = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "SLIPWAY_BUNDLE_SHA256", "value": kubelet.DIGEST} in told
    assert status(place)["versions"][0]["digest"] == kubelet.DIGEST
    assert operator.looks_once() == []


def test_what_is_not_there_is_told_before_anything_is_made_and_a_good_version_takes_its_place(
    place: Place,
) -> None:
    operator = Operator(place)
    place.ask("absent")
    operator.looks_until(lambda: stalled(place).get("reason") == "SourceNotFound", "it is told")
    assert "there is nothing under s3://models/sentiment/absent/" in stalled(place)["message"]
    assert "tried again at" in stalled(place)["message"]
    (line,) = status(place)["versions"]
    assert (line["state"], line["reason"]) == ("Blocked", "SourceNotFound")
    assert deployments(place) == []

    place.ask("1")
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    assert resolvers(place) == []


def test_a_pod_that_somebody_deletes_is_made_anew(place: Place) -> None:
    operator = Operator(place)
    place.ask("absent")
    operator.looks_until(lambda: stalled(place).get("reason") == "SourceNotFound", "it is told")
    for name in resolvers(place):
        place.rest.ask("DELETE", f"{path(place, 'v1', 'pods')}/{name}")
    writes = operator.looks_until(lambda: resolvers(place) != [], "another one is there")
    assert next(write for write in writes if write.kind == "pods").verb == "create"


def test_a_revision_that_was_made_before_is_not_resolved_again(place: Place) -> None:
    operator = Operator(place)
    place.ask("1")
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    (deployment,) = deployments(place)
    name = deployment["metadata"]["name"]
    where = f"{path(place, 'apps/v1', 'deployments')}/{name}"
    place.rest.patch(where, {"metadata": {"annotations": {"slipway.dev/resolved-source": None}}})
    assert not [write for write in operator.looks_once() if write.kind in ("pods", "deployments")]
    assert Write("create", "pods", f"{name}-resolver-1") not in operator.looks_once()
    assert "digest" not in status(place)["versions"][0]
