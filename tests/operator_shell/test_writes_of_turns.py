"""How much a rollout by turns writes: two writes for each pod, and a few beside them.

A real API server with Kubernetes' own controllers; the pods are called ready by hand.
"""

from __future__ import annotations

import pytest

from tests.operator_shell.conftest import Place
from tests.operator_shell.looks import Operator
from tests.operator_shell.test_living_with_others import ask, child, path

pytestmark = pytest.mark.cluster

# The pod that finds out what the source leads to, and its end; the new version's Deployment, Service and
# budget, both moves of the selector, the note that it has the traffic, and the old version's end.
BESIDE = 9


@pytest.mark.parametrize("replicas", [2, 5])
def test_a_rollout_by_turns_is_two_writes_a_pod_and_a_few(place: Place, replicas: int) -> None:
    operator = Operator(place)
    ask(place, "1", replicas=replicas, rollout={"strategy": "Rolling", "historyLimit": 0})
    operator.looks_until(lambda: place.arrived_at("1"), "version 1 is there")
    first = path(place, "apps/v1", "deployments", child(place))
    ask(place, "2", replicas=replicas)
    writes = operator.looks_until(
        lambda: place.arrived_at("2") and place.rest.get(first) is None, "version 2 is there, and no other"
    )
    assert len(writes) == 2 * replicas + BESIDE, "\n".join(map(str, writes))
