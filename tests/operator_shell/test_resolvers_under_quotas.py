"""A namespace with quotas and bounds takes a resolver pod as it is rendered. A real API server's admission.

The controllers that count for a quota do not run here: what it allows is written into its status by hand.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from slipway_operator.rendering import deployment, resolver
from tests.operator_shell.conftest import Place
from tests.rendering import models

pytestmark = pytest.mark.cluster

PLATFORM = deployment.Platform("registry.test/runtime:1")
AMOUNTS = {
    "limits.cpu": "10",
    "limits.memory": "10Gi",
    "limits.ephemeral-storage": "10Gi",
    "requests.cpu": "10",
    "requests.memory": "10Gi",
    "requests.ephemeral-storage": "10Gi",
}
BOUND = {
    "limits": [
        {
            "type": "Container",
            "min": {"cpu": "50m", "memory": "64Mi"},
            "max": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"},
            "maxLimitRequestRatio": {"cpu": "4", "memory": "1", "ephemeral-storage": "1"},
        }
    ]
}


def rendered(place: Place, platform: deployment.Platform = PLATFORM, *, number: int = 1) -> dict[str, Any]:
    model = models.model(models.LEAST, namespace=place.models)
    return resolver.of_revision(model, revision="0123456789", number=number, attempt=1, platform=platform)


def refusal(place: Place, pod: dict[str, Any]) -> str:
    """What the API server says of a pod; "" when it takes it."""
    try:
        place.rest.create(f"/api/v1/namespaces/{place.models}/pods", pod)
    except AssertionError as refused:
        return str(refused)
    return ""


def without(pod: dict[str, Any], quantity: str) -> dict[str, Any]:
    """As it would be if it said nothing of that amount."""
    kind, _, name = quantity.partition(".")
    bare = copy.deepcopy(pod)
    bare["spec"]["containers"][0]["resources"][kind].pop(name, None)
    return bare


@pytest.fixture
def quotas(place: Place) -> None:
    """One a resource, so that each refuses for itself."""
    for name, amount in AMOUNTS.items():
        path = f"/api/v1/namespaces/{place.models}/resourcequotas"
        hard = {name: amount}
        body = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": name},
            "spec": {"hard": hard},
        }
        place.rest.create(path, body)
        place.rest.patch(f"{path}/{name}/status", {"status": {"hard": hard, "used": {name: "0"}}})


@pytest.mark.usefixtures("quotas")
def test_a_quota_on_any_amount_takes_it(place: Place) -> None:
    # A request that is left out is filled in from its limit, and of the disk none has to be named.
    for name in ("limits.cpu", "limits.memory"):
        assert f"must specify {name}" in refusal(place, without(rendered(place), name)), "the quota is awake"
    assert refusal(place, rendered(place)) == ""


def test_a_bound_on_the_ratio_takes_it(place: Place) -> None:
    body = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "bound"}, "spec": BOUND}
    place.rest.create(f"/api/v1/namespaces/{place.models}/limitranges", body)
    amounts = {
        "requests": {**resolver.RESOURCES["requests"], "cpu": "50m"},
        "limits": resolver.RESOURCES["limits"],
    }
    wide = deployment.Platform("registry.test/runtime:1", resolvers=deployment.Resolvers(resources=amounts))
    assert "ratio" in refusal(place, rendered(place, wide)), "the bound is awake"
    assert refusal(place, rendered(place, number=2)) == ""
